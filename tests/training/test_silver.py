"""Silver: what teachers say of unlabelled texts, with probabilities, and that a student learns from it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from gongkai.errors import OutputError
from gongkai.gold.records import GoldRecord, read_lines, write
from gongkai_training.artifacts import RUN, load_model
from gongkai_training.cli import app
from gongkai_training.config import PointerSpans, TagSpans, TrainSettings
from gongkai_training.data import LeakingSplit, examples_of, read_gold
from gongkai_training.evaluate import predict, prepare
from gongkai_training.runs import CHECKPOINT
from gongkai_training.silver import label
from gongkai_training.trainer import Event, Step, train
from training_runs import report, settings


def records(path: Path) -> list[GoldRecord]:
    return [record for _, record in read_lines(path) if isinstance(record, GoldRecord)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two teachers, one of each design, and texts that none of them has seen."""
    folder = tmp_path_factory.mktemp("silver")
    for name, spans in (("pointer", PointerSpans(size=16, longest=24)), ("tags", TagSpans())):
        base = settings(folder, epochs=12)
        train(folder / name, settings=msgspec.structs.replace(base, spans=spans))
    (folder / "texts").mkdir()
    for number in range(40, 46):
        (folder / "texts" / f"{number}.txt").write_text(report(f"u{number}", number).text, "utf8")
    write([report("u40", 40)], folder / "held.jsonl")
    return folder


@pytest.mark.parametrize("design", ["pointer", "tags"])
def test_what_one_teacher_thinks_likely_is_what_it_finds(folder: Path, design: str) -> None:
    label(folder / "one.jsonl", force=True, models=[folder / design], texts=[folder / "texts"])
    trained = load_model(folder / design)
    silver = records(folder / "one.jsonl")
    found = predict(trained.model, prepare(silver, trained.characters, 64, 0), 256)
    for record, prediction in zip(silver, found, strict=True):
        likely = {(e.label, e.start, e.end) for e in record.entities if (e.score or 0) >= 0.5}
        # Of two likely spans that overlap, the decoder takes one.
        assert {(m.label, m.start, m.end) for m in prediction.mentions} <= likely
        assert len(likely) - len(prediction.mentions) <= 1
    assert any(record.relations for record in silver)


def test_two_teachers_are_averaged(folder: Path) -> None:
    singles = []
    for design in ("pointer", "tags"):
        label(folder / "one.jsonl", force=True, models=[folder / design], texts=[folder / "texts"])
        singles.append(
            [{(e.label, e.start, e.end): e.score for e in r.entities} for r in records(folder / "one.jsonl")]
        )
    label(folder / "two.jsonl", models=[folder / "pointer", folder / "tags"], texts=[folder / "texts"])
    for record, first, second in zip(records(folder / "two.jsonl"), *singles, strict=True):
        for entity in record.entities:
            place = (entity.label, entity.start, entity.end)
            mean = ((first.get(place) or 0) + (second.get(place) or 0)) / 2
            assert entity.score == pytest.approx(mean, abs=0.03)


def test_each_text_is_written_as_it_is_labelled(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is labelled in groups is what is labelled at once; a file that is there stays as it is."""
    whole, out = tmp_path / "whole.jsonl", tmp_path / "silver.jsonl"
    label(whole, models=[folder / "pointer"], texts=[folder / "texts"])
    monkeypatch.setattr("gongkai_training.silver._GROUP", 1)
    told: list[tuple[int, int]] = []

    def report(done: int, everything: int) -> None:
        told.append((done, everything))
        assert not out.exists()
        assert list(tmp_path.glob(".silver.jsonl.unfinished"))

    label(out, models=[folder / "pointer"], texts=[folder / "texts"], report=report)
    sizes = [len(record.text) for record in records(whole)]
    assert told == [(sum(sizes[:n]), sum(sizes)) for n in range(len(sizes) + 1)]
    for one, other in zip(records(out), records(whole), strict=True):
        assert (one.id, one.text) == (other.id, other.text)
        places = [[(e.label, e.start, e.end) for e in record.entities] for record in (one, other)]
        assert places[0] == places[1]
        assert [e.score for e in one.entities] == pytest.approx([e.score for e in other.entities], abs=1e-3)
    before = out.read_bytes()
    with pytest.raises(OutputError, match="--force"):
        label(out, models=[], texts=[folder / "texts"])
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["silver.jsonl", "whole.jsonl"]


def test_gold_that_must_not_be_seen_is_cut_out(folder: Path) -> None:
    done = label(
        folder / "cut.jsonl",
        models=[folder / "pointer"],
        texts=[folder / "texts"],
        exclude=[folder / "held.jsonl"],
    )
    assert (done.documents, done.excluded) == (5, 1)
    assert not any(record.text == report("u40", 40).text for record in records(folder / "cut.jsonl"))


def test_a_student_learns_from_probabilities(folder: Path) -> None:
    path = folder / "silver.jsonl"
    result = CliRunner().invoke(
        app, ["label", str(folder / "pointer"), "--texts", str(folder / "texts"), "-o", str(path)]
    )
    assert result.exit_code == 0, result.output
    assert "100%  " in result.output
    base = settings(folder, epochs=12)
    write([report("train0", 0)], folder / "little.jsonl", force=True)
    alone = msgspec.structs.replace(base.data, train=(str(folder / "little.jsonl"),))
    taught = msgspec.structs.replace(alone, silver=(str(path),))
    scores = {}
    for name, data in (("alone", alone), ("taught", taught)):
        student: TrainSettings = msgspec.structs.replace(base, data=data)
        scores[name] = train(folder / name, settings=student).f1
    assert scores["taught"] > scores["alone"] + 0.1
    assert path.name in (folder / "taught" / RUN).read_text()


def test_a_text_that_is_there_twice_is_labelled_once(folder: Path, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(report("", 60).text, "utf8")
    (tmp_path / "c.pdf").write_bytes(b"%PDF-1.4 broken")
    done = label(folder / "twice.jsonl", models=[], texts=[tmp_path])
    assert (done.documents, done.unreadable) == (1, 1)
    base = settings(folder)
    data = msgspec.structs.replace(base.data, silver=(str(folder / "twice.jsonl"),))
    assert len(read_gold(data).silver.records) == 1


def test_a_share_of_silver_is_read_in_an_epoch(folder: Path) -> None:
    label(folder / "one.jsonl", force=True, models=[folder / "pointer"], texts=[folder / "texts"])
    base = settings(folder, epochs=2)
    steps = []
    for share in (0.0, 0.5, 1.0):
        data = msgspec.structs.replace(base.data, silver=(str(folder / "one.jsonl"),), silver_share=share)
        steps.append(
            train(folder / f"share-{share}", settings=msgspec.structs.replace(base, data=data)).steps
        )
    assert steps[0] < steps[1] < steps[2]


def test_a_run_with_silver_that_was_stopped_goes_on_to_the_same_weights(folder: Path, tmp_path: Path) -> None:
    label(tmp_path / "silver.jsonl", models=[folder / "pointer"], texts=[folder / "texts"])
    base = settings(tmp_path, epochs=2)
    data = msgspec.structs.replace(base.data, silver=(str(tmp_path / "silver.jsonl"),), silver_share=0.5)
    run = msgspec.structs.replace(base, data=data)
    whole = train(tmp_path / "whole", settings=run)

    def stop(event: Event) -> None:
        if isinstance(event, Step) and event.step == whole.steps - 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", settings=run, report=stop)
    train(tmp_path / "stopped", settings=run, resume=True)
    one, other = (torch.load(tmp_path / name / CHECKPOINT) for name in ("whole", "stopped"))
    assert one["position"] == other["position"]
    for name, weights in one["model"].items():
        assert torch.equal(weights, other["model"][name])


def test_probabilities_become_targets(folder: Path) -> None:
    label(folder / "one.jsonl", force=True, models=[folder / "pointer"], texts=[folder / "texts"])
    characters = load_model(folder / "pointer").characters
    for record in records(folder / "one.jsonl"):
        for example in examples_of(record, characters, 64, 0).examples:
            assert all(span.probability >= 0.5 for span in example.spans)
            assert all(0.05 <= span.probability < 0.5 for span in example.doubtful)
            assert all(max(r.head, r.tail) < len(example.spans) for r in example.relations)


def test_silver_of_a_dev_document_stops_the_run(folder: Path) -> None:
    base = settings(folder)
    write([report("dev12", 12)], folder / "leak.jsonl", force=True)
    data = msgspec.structs.replace(base.data, silver=(str(folder / "leak.jsonl"),))
    with pytest.raises(LeakingSplit):
        train(folder / "leaking", settings=msgspec.structs.replace(base, data=data))


def test_silver_that_holds_a_dev_passage_stops_the_run(folder: Path) -> None:
    base = settings(folder)
    text = f"前言。\n{report('dev12', 12).text}\n后记。"
    passage = msgspec.structs.replace(report("passage", 12), meta={"slice": [4, len(text) - 4]})
    assert text[4 : len(text) - 4] == passage.text
    write([passage], folder / "passage.jsonl", force=True)
    write([GoldRecord(id="whole", text=text)], folder / "whole.jsonl", force=True)
    data = msgspec.structs.replace(
        base.data, silver=(str(folder / "whole.jsonl"),), held_out=(str(folder / "passage.jsonl"),)
    )
    with pytest.raises(LeakingSplit, match="passage"):
        read_gold(msgspec.structs.replace(data, dev=(str(folder / "held.jsonl"),)))


def test_a_text_with_gold_needs_no_silver(folder: Path) -> None:
    base = settings(folder)
    write([report("train0", 0), report("more", 50)], folder / "both.jsonl", force=True)
    data = msgspec.structs.replace(base.data, silver=(str(folder / "both.jsonl"),))
    assert [record.id for record in read_gold(data).silver.records] == ["more"]


def test_rules_label_where_there_is_no_teacher(folder: Path) -> None:
    done = label(folder / "rules.jsonl", models=[], texts=[folder / "texts"])
    assert done.spans > 0
    assert all(e.by for record in records(folder / "rules.jsonl") for e in record.entities)
