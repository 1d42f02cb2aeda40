"""Studies: what they run, what they leave alone, what a failure does, and that their figures are those of the runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("transformers")

from gongkai.errors import ConfigError, Unpaired
from gongkai_training.artifacts import RUN, SCORES, WEIGHTS
from gongkai_training.cli import app
from gongkai_training.config import Pretrained, Transformer
from gongkai_training.evaluate import Count, Scores
from gongkai_training.settings import read_settings
from gongkai_training.study.outcomes import (
    DEV,
    ERROR,
    DocumentScores,
    Failed,
    Measured,
    Outcome,
    outcome_of,
)
from gongkai_training.study.run import run_study
from gongkai_training.study.settings import Run, Study, Variant, merged, runs_of
from gongkai_training.study.table import CURVE, RESULTS, TABLE, Comparison, write_comparison
from gongkai_training.trainer import Event, Step, train
from training_runs import encoder, settings

_WILD = {"optimisation": {"encoder_rate": 1e30, "head_rate": 1e30, "warm_up": 0}}


class Killed(BaseException):
    """Stands for the end of the process."""


def kill_at(run: int, step: int) -> Callable[[Event], None]:
    """Ends the study in its nth run after a step, before its checkpoint is written."""
    begun = 0

    def report(event: Event) -> None:
        nonlocal begun
        if isinstance(event, Step):
            begun += event.step == 1
            if (begun, event.step) == (run, step):
                raise Killed

    return report


@pytest.fixture
def no_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than such a run."""
    monkeypatch.setattr("gongkai_training.study.outcomes.draw_curves", lambda folder: folder)


def a_study(folder: Path, *variants: Variant, seeds: Sequence[int] = (1,), **change: Any) -> Study:
    """Variants of a run of one epoch on made-up reports."""
    base = folder / "base.yaml"
    base.write_bytes(msgspec.yaml.encode(settings(folder, epochs=1)))
    return Study(base=str(base), variants=variants, seeds=tuple(seeds), change=change)


def variant(name: str, x: float | None = None, **change: Any) -> Variant:
    return Variant(name=name, what=f"what {name} is", change=change, x=x)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    ("base", "change", "expected"),
    [
        pytest.param({"a": 1, "b": 2}, {"b": 3}, {"a": 1, "b": 3}, id="key"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}, id="nested"),
        pytest.param({"a": [1, 2]}, {"a": [3]}, {"a": [3]}, id="lists are replaced"),
        pytest.param({"a": {"b": 1}}, {"a": None}, {"a": None}, id="null is a value"),
        pytest.param({}, {"a": {"b": 1}}, {"a": {"b": 1}}, id="new key"),
        pytest.param(
            {"e": {"type": "s", "w": 1}}, {"e": {"type": "s", "d": 2}}, {"e": {"type": "s", "w": 1, "d": 2}}, id="same type"
        ),
        pytest.param(
            {"e": {"type": "s", "w": 1}}, {"e": {"type": "t", "d": 2}}, {"e": {"type": "t", "d": 2}}, id="other type"
        ),
    ],
)  # fmt: skip
def test_changes_are_merged(base: Any, change: Any, expected: Any) -> None:
    assert merged(base, change) == expected


def test_all_variants_come_with_the_first_seed_before_the_next(tmp_path: Path) -> None:
    study = a_study(
        tmp_path, variant("a"), variant("b", dropout=0.3), seeds=(7, 8), optimisation={"epochs": 2}
    )
    runs = runs_of(study, tmp_path / "out")
    assert [run.folder.name for run in runs] == ["a-7", "b-7", "a-8", "b-8"]
    assert [run.settings.seed for run in runs] == [7, 7, 8, 8]
    assert [run.settings.dropout for run in runs] == [0.1, 0.3, 0.1, 0.3]
    assert {run.settings.optimisation.epochs for run in runs} == {2}
    assert {run.settings.optimisation.batch_characters for run in runs} == {256}


@pytest.mark.parametrize(
    ("variants", "seeds", "problem"),
    [
        pytest.param([variant("a"), variant("a")], [1], "variant a is there twice", id="name"),
        pytest.param([variant("a")], [2, 2], "seed 2 is there twice", id="seed"),
        pytest.param(
            [variant("a"), variant("b", optimisation={"haed_rate": 1})], [1], "variant b.*haed_rate", id="key"
        ),
        pytest.param(
            [variant("a"), variant("b", data={"dev": []})], [1], "variant b.*other documents than a", id="dev"
        ),
    ],
)
def test_a_bad_study_stops_before_its_first_run(
    tmp_path: Path, variants: list[Variant], seeds: list[int], problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        run_study(a_study(tmp_path, *variants, seeds=seeds), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("variants: [{name: a, what: b}]", "base", id="no base"),
        pytest.param("base: b\nvariants: []", "variants", id="no variant"),
        pytest.param("base: b\nvariants: [{name: a, what: b}]\nseeds: []", "seeds", id="no seed"),
        pytest.param("base: b\nvariants: [{name: ../a, what: b}]", "name", id="name is no folder's"),
        pytest.param("base: b\nvariants: [{name: a, what: b, changes: {}}]", "changes", id="unknown key"),
    ],
)
def test_a_study_file_is_checked(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(ConfigError, match=problem):
        read_settings(tmp_path / "study.yaml", Study)


@pytest.mark.usefixtures("no_curves")
def test_the_figures_are_those_of_ordinary_runs(tmp_path: Path) -> None:
    half = variant("a", 50, data={"portion": 0.5})
    change = {"optimisation": {"epochs": 8}, "checkpoint_minutes": 10}
    study = a_study(tmp_path, half, variant("b", 100), seeds=(1, 2), **change)
    out = tmp_path / "out"
    outcomes = run_study(study, out)
    assert all(isinstance(outcome, Measured) for outcome in outcomes)
    runs = runs_of(study, out)
    train(tmp_path / "alone", settings=runs[3].settings)
    assert (out / "b-2" / WEIGHTS).read_bytes() == (tmp_path / "alone" / WEIGHTS).read_bytes()

    results = lines_of(out / RESULTS)
    assert [(line["variant"], line["seed"]) for line in results] == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    for run, line in zip(runs, results, strict=True):
        saved = json.loads((run.folder / SCORES).read_text())["dev"]
        overall = (line["f1"][name] for name in ("all", "spans", "relations"))
        assert tuple(overall) == (saved["f1"], saved["span_f1"], saved["relation_f1"])
        parts = {"METRIC": saved["spans"]["METRIC"], "value_of": saved["relations"]["value_of"]}
        for label, counts in parts.items():
            expected = round(Count(**counts).f1, 4)
            assert line["f1"][f"{tmp_path.name}/dev {label}"] == expected
        read = json.loads((run.folder / RUN).read_text())["data"]["train"][0]
        assert read["documents"] == (6 if run.variant == "a" else 12)
        assert (line["documents"], line["epochs"], line["characters"]) == (4, 8, 8 * read["characters"])

    assert results[1]["f1"]["all"] > 0.5

    table = (out / TABLE).read_text()
    mean = np.mean([line["f1"]["spans"] for line in results if line["variant"] == "b"])
    (row,) = [each for each in table.splitlines() if each.startswith("| `b` | what b is |")]
    assert f"| {mean:.3f} (" in row
    assert f"4 dev documents ({tmp_path.name}/dev 4)" in table
    assert "means of 2 seeds" in table
    assert "Difference to `a`" in table
    assert (out / CURVE).read_text().startswith("<?xml")


@pytest.mark.usefixtures("no_curves")
def test_what_is_finished_is_left_alone(tmp_path: Path) -> None:
    study = a_study(tmp_path, variant("a"))
    run_study(study, tmp_path / "out")
    events: list[Event] = []
    lines: list[str] = []
    (outcome,) = run_study(study, tmp_path / "out", report=events.append, announce=lines.append)
    assert isinstance(outcome, Measured)
    assert (events, lines) == ([], ["a-1 (1 of 1): finished before"])
    run_study(study, tmp_path / "out", force=True, report=events.append)
    assert events


@pytest.mark.usefixtures("no_curves")
@pytest.mark.parametrize("step", [1, 4])
def test_a_study_that_was_killed_goes_on(tmp_path: Path, step: int) -> None:
    study = a_study(
        tmp_path, variant("a"), variant("b", dropout=0.3), variant("c"), optimisation={"epochs": 2}
    )
    run_study(study, tmp_path / "whole")
    out = tmp_path / "killed"
    with pytest.raises(Killed):
        run_study(study, out, report=kill_at(2, step))
    assert [outcome_of(run) is None for run in runs_of(study, out)] == [False, True, True]
    begun: list[str] = []
    run_study(study, out, announce=begun.append)
    assert begun == ["a-1 (1 of 3): finished before", "b-1 (2 of 3)", "c-1 (3 of 3)"]
    for run in runs_of(study, tmp_path / "whole"):
        for name in (WEIGHTS, DEV):
            assert (run.folder / name).read_bytes() == (out / run.folder.name / name).read_bytes()


@pytest.mark.usefixtures("no_curves")
def test_a_run_begun_anew_and_killed_is_not_finished(tmp_path: Path) -> None:
    study = a_study(tmp_path, variant("a"))
    run_study(study, tmp_path / "out")
    with pytest.raises(Killed):
        run_study(study, tmp_path / "out", force=True, report=kill_at(1, 2))
    assert [outcome_of(run) for run in runs_of(study, tmp_path / "out")] == [None]


@pytest.mark.usefixtures("no_curves")
def test_a_variant_that_fails_does_not_stop_the_rest(tmp_path: Path) -> None:
    study = a_study(
        tmp_path, variant("a"), variant("wild", **_WILD), variant("odd", relations={"size": 7}), variant("b")
    )
    out = tmp_path / "out"
    outcomes = run_study(study, out)
    assert [isinstance(outcome, Failed) for outcome in outcomes] == [False, True, True, False]
    assert [line["event"] for line in lines_of(out / RESULTS)] == ["measured", "failed", "failed", "measured"]
    assert "Lower the learning rates" in lines_of(out / RESULTS)[1]["problem"]
    table = (out / TABLE).read_text()
    assert "| `wild` | what wild is; **seed 1 failed: step" in table
    assert "| `odd` | what odd is; **seed 1 failed: RuntimeError: " in table
    assert "Traceback" in (out / "odd-1" / ERROR).read_text()
    differences = table.split("Difference to")[1]
    assert "| `b` |" in differences
    assert "`wild`" not in differences

    mended = a_study(tmp_path, variant("a"), variant("odd"))
    assert all(isinstance(outcome, Measured) for outcome in run_study(mended, out))


@pytest.mark.usefixtures("no_curves")
def test_a_finished_run_of_other_settings_is_not_taken_for_this_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_study(a_study(tmp_path, variant("a")), out)
    other = a_study(tmp_path, variant("a", dropout=0.3))
    assert [outcome_of(run) for run in runs_of(other, out)] == [None]
    (outcome,) = run_study(other, out)
    assert isinstance(outcome, Failed)
    assert "dropout was 0.1, is 0.3" in outcome.problem
    assert outcome.problem.endswith("Train it anew with --force --only a.")
    (outcome,) = run_study(other, out, force=True)
    assert isinstance(outcome, Measured)


@pytest.mark.usefixtures("no_curves")
def test_what_changes_no_weights_needs_no_new_run(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_study(a_study(tmp_path, variant("a")), out)
    weights = (out / "a-1" / WEIGHTS).stat().st_mtime_ns
    other = a_study(tmp_path, variant("a"), log_steps=7)
    (outcome,) = run_study(other, out)
    assert isinstance(outcome, Measured)
    assert (out / "a-1" / WEIGHTS).stat().st_mtime_ns == weights
    assert outcome_of(runs_of(other, out)[0]) == outcome


@pytest.mark.usefixtures("no_curves")
def test_a_finished_run_of_other_gold_is_not_taken_for_this_one(tmp_path: Path) -> None:
    study = a_study(tmp_path, variant("a"))
    run_study(study, tmp_path / "out")
    dev = tmp_path / "dev.jsonl"
    dev.write_bytes(b"".join(dev.read_bytes().splitlines(keepends=True)[:3]))
    assert [outcome_of(run) for run in runs_of(study, tmp_path / "out")] == [None]


@pytest.mark.usefixtures("no_curves")
def test_a_finished_run_of_another_encoder_is_not_taken_for_this_one(tmp_path: Path) -> None:
    encoder(tmp_path / "encoder", 1)
    study = a_study(tmp_path, variant("a", encoder={"embedding": str(tmp_path / "encoder")}))
    (outcome,) = run_study(study, tmp_path / "out")
    assert [outcome_of(run) for run in runs_of(study, tmp_path / "out")] == [outcome]
    encoder(tmp_path / "encoder", 2)
    assert [outcome_of(run) for run in runs_of(study, tmp_path / "out")] == [None]
    (outcome,) = run_study(study, tmp_path / "out")
    assert isinstance(outcome, Failed)
    assert f"the model in {tmp_path / 'encoder'} was" in outcome.problem


@pytest.mark.usefixtures("no_curves")
def test_only_some_variants(tmp_path: Path) -> None:
    study = a_study(tmp_path, variant("a"), variant("b"), variant("c"))
    run_study(study, tmp_path / "out", only=["b"])
    run_study(study, tmp_path / "out", only=["c"])
    assert [line["variant"] for line in lines_of(tmp_path / "out" / RESULTS)] == ["b", "c"]
    table = (tmp_path / "out" / TABLE).read_text()
    assert "| `a` | what a is | – | – | –" in table
    assert "one seed, so that nothing tells" in table
    assert "Difference" not in table
    with pytest.raises(ConfigError, match=r"no variant d.*a, b, c"):
        run_study(study, tmp_path / "out", only=["d"])


def document(
    name: str, both: int, gold: int, predicted: int, file: str = "g/own/dev.jsonl"
) -> DocumentScores:
    counts = {"METRIC": Count(both=both, gold=gold, predicted=predicted)}
    return DocumentScores(file=file, id=name, scores=Scores(spans=counts))


def outcomes(folder: Path, *of_runs: tuple[str, list[DocumentScores]]) -> list[tuple[Run, Outcome | None]]:
    own = settings(folder)
    return [
        (
            Run(name, own, folder / name),
            Measured(documents=tuple(documents), epochs=1, seconds=1.0, characters=1),
        )
        for name, documents in of_runs
    ]


def test_f1_and_differences_by_hand(tmp_path: Path) -> None:
    """F1 of a: 2·6/20 = 0.6; of b, mean of 2·8/20 and 2·10/20 = 0.9; every document alike, so no sample differs."""
    comparison = Comparison(
        outcomes(
            tmp_path,
            ("a", [document("d", 3, 5, 5), document("e", 3, 5, 5)]),
            ("b", [document("d", 4, 5, 5), document("e", 4, 5, 5)]),
            ("b", [document("d", 5, 5, 5), document("e", 5, 5, 5)]),
        )
    )
    measures = {measure.name: measure for measure in comparison.measures}
    assert [*measures] == ["all", "spans", "relations", "own/dev METRIC", "own/dev value_of"]
    assert comparison.f1s("a", measures["spans"])[:, 0].tolist() == [0.6]
    assert comparison.f1s("b", measures["own/dev METRIC"])[:, 0].tolist() == [0.8, 1.0]
    assert comparison.difference("b", "a", measures["all"]) == "+0.300 (+0.300, +0.300)"
    assert np.isnan(comparison.f1s("a", measures["relations"])).all()
    assert comparison.difference("b", "a", measures["relations"]) == "–"


def test_documents_that_disagree_make_the_interval_wide(tmp_path: Path) -> None:
    """b is better on one document by as much as it is worse on the other."""
    comparison = Comparison(
        outcomes(
            tmp_path,
            ("a", [document("d", 2, 5, 5), document("e", 4, 5, 5)]),
            ("b", [document("d", 4, 5, 5), document("e", 2, 5, 5)]),
        )
    )
    assert comparison.difference("b", "a", comparison.measures[0]) == "+0.000 (-0.400, +0.400)"


def test_each_file_of_dev_has_its_own_figures(tmp_path: Path) -> None:
    comparison = Comparison(
        outcomes(tmp_path, ("a", [document("d", 1, 2, 2), document("e", 3, 3, 3, file="g/real/dev.jsonl")]))
    )
    f1 = {measure.name: comparison.f1s("a", measure)[0, 0] for measure in comparison.measures}
    assert (f1["own/dev METRIC"], f1["real/dev METRIC"], f1["spans"]) == (0.5, 1.0, 0.8)


def test_runs_on_different_documents_are_not_compared(tmp_path: Path) -> None:
    real = document("r", 1, 1, 1, file="g/real/dev.jsonl")
    runs = [
        ("a", [document("d", 1, 1, 1), real]),
        ("b", [document("d", 1, 1, 1)]),
        ("c", [document("d", 1, 1, 1)]),
    ]
    with pytest.raises(Unpaired, match=r"a on own/dev 1, real/dev 1; b, c on own/dev 1\. .*--force --only"):
        Comparison(outcomes(tmp_path, *runs))


@pytest.mark.usefixtures("no_curves")
def test_runs_on_different_documents_stop_no_run_after_them(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_study(a_study(tmp_path, variant("a"), variant("b")), out)
    first = out / "a-1" / DEV
    first.write_bytes(b"".join(first.read_bytes().splitlines(keepends=True)[:3]))
    study = a_study(tmp_path, variant("a"), variant("b"), variant("c", dropout=0.3))
    told: list[str] = []
    with pytest.raises(Unpaired, match="different documents"):
        run_study(study, out, announce=told.append)
    assert (out / "c-1" / DEV).exists()
    assert sum("different documents" in line for line in told) == 3
    assert len(run_study(study, out, only=["a"], force=True)) == 1
    assert len(lines_of(out / RESULTS)) == 3


def test_nothing_run_yet_is_a_table_too(tmp_path: Path) -> None:
    study = a_study(tmp_path, variant("a", 1), variant("b", 2))
    write_comparison(tmp_path / "out", study, runs_of(study, tmp_path / "out"))
    assert "0 dev documents (none yet)" in (tmp_path / "out" / TABLE).read_text()
    assert not (tmp_path / "out" / CURVE).exists()


def test_the_command(tmp_path: Path) -> None:
    config = tmp_path / "study.yaml"
    config.write_bytes(msgspec.yaml.encode(a_study(tmp_path, variant("a"), variant("wild", **_WILD))))
    arguments = ["study", str(config), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*arguments, "--only", "a"])
    assert result.exit_code == 0, result.output
    assert "a-1 (1 of 1)" in result.output
    assert (tmp_path / "out" / "a-1" / "curves.svg").exists()
    assert "1 of 1 runs finished" in result.output
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 3, result.output
    assert "wild-1 failed: " in result.output
    assert "1 of 2 runs finished" in result.output


@pytest.mark.parametrize("name", ["study_student", "study_encoder"])
def test_shipped_studies(root: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(root)
    study = read_settings(root / "configs" / "training" / f"{name}.yaml", Study)
    runs = {run.variant: run.settings for run in runs_of(study, Path("out"))}
    assert len(set(map(msgspec.json.encode, runs.values()))) == len(runs), "two variants are the same"
    curve = sorted((each.x, runs[each.name]) for each in study.variants if each.x is not None)
    assert [run.data.portion for _, run in curve] == [x / 100 for x, _ in curve]
    # A smaller portion is read more often, though not for as many steps.
    for (x, run), (larger, other) in pairwise(curve):
        assert run.optimisation.epochs > other.optimisation.epochs
        assert run.optimisation.epochs * x < other.optimisation.epochs * larger


def test_the_encoders_that_are_compared_have_one_shape(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    study = read_settings(root / "configs" / "training" / "study_encoder.yaml", Study)
    encoders = {run.variant: run.settings.encoder for run in runs_of(study, Path("out"))}
    assert encoders["random"] == Transformer(layers=3, width=384, heads=12, dropout=0)
    assert encoders["e5"] == Pretrained(path="runs/e5-12", layers=3, dropout=0)
    assert encoders["mlm"] == Pretrained(path="runs/mlm-12", layers=3, dropout=0)
