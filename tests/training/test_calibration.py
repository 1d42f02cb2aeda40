"""Temperatures: a known one is found again, dev is believed better, and model.json keeps them."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

from typer.testing import CliRunner

from evaluate.building import record
from gongkai.errors import BrokenModel
from gongkai.evaluate.types import Confidence
from gongkai.gold.records import GoldRecord, read, write
from gongkai.model.bundle import DESCRIPTION, encode, read_bundle
from gongkai.model.runtime import cooled
from gongkai.reading import SHIPPED_MODEL
from gongkai_training.calibration import LEAST, calibrate, confidences, fit, reliability, temperature_of
from gongkai_training.cli import app
from planted import PlantedReader


def drawn(temperature: float, items: int, label: str = "METRIC", seed: int = 0) -> list[Confidence]:
    """Items whose scores would be honest if their logits were divided by `temperature`."""
    rng = np.random.default_rng(seed)
    logits = rng.exponential(4, items)
    right = rng.random(items) < 1 / (1 + np.exp(-logits / temperature))
    level = "entities" if label.isupper() else "relations"
    return [
        Confidence(level, label, 1 / (1 + float(np.exp(-logit))), bool(ok))  # type: ignore[arg-type]
        for logit, ok in zip(logits, right, strict=True)
    ]


@pytest.mark.parametrize("temperature", [0.6, 1.0, 2.0, 5.0])
def test_a_known_temperature_is_found_again(temperature: float) -> None:
    assert temperature_of(drawn(temperature, 40_000)) == pytest.approx(temperature, rel=0.08)


def test_worked_by_hand() -> None:
    """Of one score, 3 of 4 right: it becomes 3/4; its logit is log 99, that of 3/4 log 3."""
    found = [Confidence("entities", "COUNT", 0.99, number > 0) for number in range(4)]
    assert temperature_of(found) == pytest.approx(np.log(99) / np.log(3), abs=1e-3)
    assert cooled(0.99, temperature_of(found)) == pytest.approx(0.75, abs=1e-3)


@pytest.mark.parametrize(
    ("score", "right", "expected"),
    [(0.9, True, 1.0), (0.9, False, 20.0), (1.0, True, 1.0), (1.0, False, 20.0)],
    ids=["all right", "all wrong", "certain and right", "certain and wrong"],
)
def test_what_has_no_best_temperature(score: float, right: bool, expected: float) -> None:
    assert temperature_of([Confidence("entities", "COUNT", score, right)] * 3) == pytest.approx(expected)


def test_labels_with_few_items_share_that_of_their_level() -> None:
    many, few = drawn(3, 500), drawn(1, LEAST - 1, "ORG", 1)
    others = drawn(2, LEAST, "during", 2)
    temperatures = fit([many, few, others])
    assert temperatures["METRIC"] == temperature_of(many)
    assert temperatures["ORG"] == temperatures["PERIOD"] == temperature_of(many + few)
    assert temperatures["during"] == temperatures["part_of"] == temperature_of(others)
    assert fit([many]).keys() == {"METRIC", "COUNT", "PERCENT", "DOCNO", "POLICY", "ORG", "PERIOD"}
    assert fit([[]]) == {}


def test_each_half_is_judged_by_the_other() -> None:
    """The scores of every other document are honest, the rest boast: each half is made worse by the other's."""
    honest, boasting = drawn(1, 2000), drawn(4, 2000, seed=1)
    (label, level) = reliability([honest, boasting], fit([honest, boasting]))
    assert (label.label, level.label, label.items) == ("METRIC", None, 4000)
    assert label.after < label.crossed
    assert label.after < label.before
    alike = [drawn(4, 2000, seed=seed) for seed in range(2)]
    (label, _) = reliability(alike, fit(alike))
    assert label.before > 0.1
    assert label.crossed == pytest.approx(label.after, abs=0.01)


def test_right_is_label_and_both_ends() -> None:
    """The model marks too much of the metric, so that neither it nor its relation is right."""
    found = record(
        "⟦PERIOD 2018年⟧⟦METRIC 共收到申请⟧⟦COUNT 12件⟧，⟦METRIC 办结⟧⟦PERCENT 9件⟧。",
        "value_of T3 T2 0.9",
        "during T3 T1 0.8",
        "value_of T5 T4 0.7",
    )
    gold = record(
        "⟦PERIOD 2018年⟧共⟦METRIC 收到申请⟧⟦COUNT 12件⟧，⟦METRIC 办结⟧⟦COUNT 9件⟧。",
        "value_of T3 T2",
        "during T3 T1",
        "value_of T5 T4",
    )
    (document,) = confidences(PlantedReader(found, scores={"T2": 0.6}), [gold])
    assert document == [
        ("entities", "PERIOD", 1.0, True),
        ("entities", "METRIC", 0.6, False),
        ("entities", "COUNT", 1.0, True),
        ("entities", "METRIC", 1.0, True),
        ("entities", "PERCENT", 1.0, False),
        ("relations", "value_of", 0.9, False),
        ("relations", "during", 0.8, True),
        ("relations", "value_of", 0.7, False),
    ]


@pytest.fixture
def model(root: Path, tmp_path: Path) -> Path:
    """A copy of the model that comes with gongkai, never calibrated."""
    folder = Path(shutil.copytree(root / SHIPPED_MODEL, tmp_path / "model"))
    description = read_bundle(folder).description
    (folder / DESCRIPTION).write_bytes(encode(msgspec.structs.replace(description, temperatures={})))
    return folder


@pytest.fixture(scope="module")
def dev(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every other document of dev."""
    part = tmp_path_factory.mktemp("gold") / "dev.jsonl"
    write(list(read(root / "annotations" / "gold" / "own" / "dev.jsonl"))[::2], part)
    return part


def test_the_shipped_model_is_believed_better(model: Path, dev: Path) -> None:
    before = read_bundle(model)
    lines = {line.label or line.level: line for line in calibrate(model, [dev])}
    for level in ("entities", "relations"):
        assert lines[level].after < lines[level].before
    after = read_bundle(model)
    fitted = {name: line.temperature for name, line in lines.items() if line.temperature is not None}
    assert fitted.items() <= after.description.temperatures.items()
    assert (after.spans, after.relations) == (before.spans, before.relations)
    again = {line.label or line.level: line for line in calibrate(model, [dev])}
    assert again == lines, "what a calibration finds does not depend on the one before"


def test_the_command(model: Path, dev: Path) -> None:
    done = CliRunner().invoke(app, ["calibrate", str(model), "--gold", str(dev)], env={"COLUMNS": "100"})
    assert done.exit_code == 0, done.output
    temperature = read_bundle(model).description.temperatures["METRIC"]
    (line,) = (line for line in done.output.splitlines() if "METRIC" in line)
    assert line.split()[-1] == f"{temperature:.2f}"


def test_nothing_found(model: Path, tmp_path: Path) -> None:
    before = (model / DESCRIPTION).read_bytes()
    write([GoldRecord(id="a", text="无。")], tmp_path / "gold.jsonl")
    with pytest.raises(BrokenModel, match="finds nothing in the gold"):
        calibrate(model, [tmp_path / "gold.jsonl"])
    assert (model / DESCRIPTION).read_bytes() == before


def test_no_model(tmp_path: Path, dev: Path) -> None:
    with pytest.raises(BrokenModel, match="no such folder"):
        calibrate(tmp_path / "nowhere", [dev])
