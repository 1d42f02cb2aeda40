"""`gongkai evaluate` on files: any pipeline, any predictions file, any gold file; two evaluations compared."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from gongkai import cli
from gongkai.errors import BrokenRecord, OutputError, Unpaired, UnreadableInput
from gongkai.evaluate.run import (
    Pipeline,
    PredictionsFile,
    Triple,
    compare_folders,
    evaluate,
    evaluate_into,
    read_evaluation,
    references,
)
from gongkai.evaluate.types import Reference
from gongkai.gold.records import GoldRecord, StandoffRecord, read, write
from gongkai.ingest import read_text
from gongkai.model.runtime import DocumentText, JointReader, Reading
from gongkai.pipeline import Extractor

ROOT = Path(__file__).parents[2]
DEV = ROOT / "annotations" / "gold" / "own" / "dev.jsonl"
FEW = 4


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shortest documents of own/dev with their values."""
    folder = tmp_path_factory.mktemp("gold") / "few"
    folder.mkdir()
    chosen = sorted(read(DEV), key=lambda record: len(record.text))[:FEW]
    write(chosen, folder / "dev.jsonl")
    ids = {record.id for record in chosen}
    lines = DEV.with_name("dev.values.jsonl").read_text().splitlines()
    kept = [line for line in lines if json.loads(line)["id"] in ids]
    (folder / "dev.values.jsonl").write_text("\n".join(kept) + "\n")
    return folder / "dev.jsonl"


@pytest.fixture(scope="module")
def extracted(gold: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the rules make of them, as documents.jsonl."""
    path = tmp_path_factory.mktemp("predictions") / "documents.jsonl"
    extractor = Extractor("rules")
    with path.open("wb") as file:
        for record in read(gold):
            document = msgspec.structs.replace(read_text(record.text), id=record.id)
            file.write(msgspec.json.encode(extractor.extract(document)) + b"\n")
    return path


def run(*arguments: str | Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["gongkai", "evaluate", *map(str, arguments)])
    try:
        return cli.main()
    except SystemExit as stop:
        return int(stop.code or 0)


def test_a_pipeline_and_its_own_predictions_score_the_same(gold: Path, extracted: Path) -> None:
    ours = evaluate([gold], Pipeline("rules"), resamples=100)
    theirs = evaluate([gold], PredictionsFile(extracted), resamples=100)
    assert ours.run.gold[0].documents == FEW
    assert ours.absent == {}
    assert set(theirs.absent) == {"relations.given"}
    for level, scores in theirs.all.levels.items():
        assert scores == ours.all.levels[level]
    assert ours.calibration == theirs.calibration


class OneByOne(Pipeline):
    """The same pipeline, each document by itself."""

    def predict(self, references: Iterable[Reference]) -> Iterator[Triple]:
        for each in references:
            yield from super().predict([each])


def test_documents_are_read_in_batches_and_score_as_one_by_one(
    gold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = evaluate([gold], OneByOne("hybrid"), resamples=100)
    at_once: list[int] = []
    read_batch = JointReader.read

    def counting(self: JointReader, documents: Sequence[DocumentText]) -> list[Reading]:
        at_once.append(len(documents))
        return read_batch(self, documents)

    monkeypatch.setattr(JointReader, "read", counting)
    together = evaluate([gold], Pipeline("hybrid"), resamples=100)
    assert max(at_once) == FEW
    assert together.all == alone.all
    assert together.mistakes == alone.mistakes


def test_gold_against_itself_is_perfect(gold: Path) -> None:
    found = evaluate([gold], PredictionsFile(gold), resamples=100)
    for level in ("entities.strict", "entities.seqeval", "entities.partial", "relations.strict"):
        assert found.all.levels[level].micro.f1.value == 1.0
    assert not [example for example in found.examples if example.mistake.level in ("entities", "relations")]


def test_records_as_gold_against_themselves_are_perfect_at_every_level(extracted: Path) -> None:
    """A documents.jsonl that someone corrected is gold for facts and findings, too."""
    found = evaluate([extracted], PredictionsFile(extracted), resamples=100)
    assert set(found.absent) == {"relations.given"}
    assert found.mistakes == 0
    assert {scores.micro.f1.value for scores in found.all.levels.values()} <= {1.0, None}


def test_results_lie_in_the_folder(gold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    assert run(gold, "-o", out, "--resamples", "100", monkeypatch=monkeypatch) == 0
    names = {path.name for path in out.iterdir()}
    assert names == {"evaluation.json", "scores.jsonl", "report.md", "report.html"}
    assert read_evaluation(out) == evaluate([gold], Pipeline("hybrid"), resamples=100)
    assert len((out / "scores.jsonl").read_bytes().splitlines()) == FEW
    assert run(gold, "-o", out, monkeypatch=monkeypatch) == 1
    assert run(gold, "-o", out, "--resamples", "100", "--force", monkeypatch=monkeypatch) == 0


def test_options_may_come_before_the_gold(
    gold: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--resamples", "100", gold, monkeypatch=monkeypatch) == 0
    assert "micro" in capsys.readouterr().out


def test_comparing_two_systems(
    gold: Path, extracted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B leaves out every METRIC of A: worse at METRIC and value_of, the same elsewhere; every document changed."""
    poorer = tmp_path / "documents.jsonl"
    with poorer.open("w") as file:
        for line in extracted.read_text().splitlines():
            record = json.loads(line)
            metrics = {e["id"] for e in record["entities"] if e["label"] == "METRIC"}
            record["entities"] = [e for e in record["entities"] if e["id"] not in metrics]
            record["relations"] = [r for r in record["relations"] if r["tail"] not in metrics]
            for fact in record["facts"]:
                fact["evidence"] = [e for e in fact["evidence"] if e not in metrics]
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    for name, predictions in (("a", extracted), ("b", poorer)):
        evaluate_into(tmp_path / name, [gold], PredictionsFile(predictions), resamples=100)
    found = compare_folders(tmp_path / "a", tmp_path / "b")
    by_label = {(each.level, each.label): each for each in found.differences}
    lost = by_label["entities.strict", "METRIC"].f1
    assert lost.value is not None
    assert lost.value < -0.5
    assert by_label["entities.strict", "COUNT"].f1.value == 0
    assert found.changed == found.documents == FEW
    broken = Counter(m.label for change in found.changes for m in change.broken if m.level == "entities")
    assert broken.most_common(1)[0][0] == "METRIC"
    page = tmp_path / "comparison.md"
    assert run("compare", tmp_path / "a", tmp_path / "b", "-o", page, monkeypatch=monkeypatch) == 0
    assert "METRIC" in page.read_text()
    assert run("compare", tmp_path / "b", tmp_path / "nowhere", monkeypatch=monkeypatch) == 1


def test_thresholds(
    gold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate_into(tmp_path / "out", [gold], Pipeline("rules"), resamples=100)
    assert run("threshold", tmp_path / "out", "--precision", "0.9", monkeypatch=monkeypatch) == 0
    assert "COUNT" in capsys.readouterr().out


def test_a_document_missing_on_either_side_is_named(gold: Path, extracted: Path, tmp_path: Path) -> None:
    lines = extracted.read_bytes().splitlines(keepends=True)
    missing = json.loads(lines[-1])["id"]
    fewer = tmp_path / "fewer.jsonl"
    fewer.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(
        Unpaired, match=rf"1 documents of the gold: They are not in the predictions: {missing}\."
    ):
        evaluate([gold], PredictionsFile(fewer), resamples=100)
    one = tmp_path / "one.jsonl"
    write([next(read(gold))], one)
    with pytest.raises(Unpaired, match="3 documents of the predictions"):
        evaluate([one], PredictionsFile(extracted), resamples=100)


def test_a_failed_evaluation_leaves_nothing_behind(gold: Path, extracted: Path, tmp_path: Path) -> None:
    fewer = tmp_path / "fewer.jsonl"
    fewer.write_bytes(b"".join(extracted.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(Unpaired):
        evaluate_into(tmp_path / "out", [gold], PredictionsFile(fewer), resamples=100)
    assert list((tmp_path / "out").iterdir()) == []


def standoff_file(folder: Path, records: Sequence[GoldRecord]) -> Path:
    """The records without their texts, which lie in `folder`."""
    bare = []
    for place, record in enumerate(records):
        (folder / f"{place}.txt").write_text(record.text)
        meta = {**record.meta, "path": f"{place}.txt", "slice": None}
        bare.append(
            StandoffRecord(
                id=record.id,
                sha256=record.sha256,
                entities=record.entities,
                relations=record.relations,
                meta=meta,
            )
        )
    write(bare, folder / "standoff.jsonl")
    return folder / "standoff.jsonl"


def test_stand_off_gold_is_joined_with_its_texts(gold: Path, tmp_path: Path) -> None:
    bare = standoff_file(tmp_path, list(read(gold)))
    joined = list(references(bare, tmp_path))
    assert [each.record.text for each in joined] == [each.record.text for each in references(gold)]
    assert [each.record.relations for each in joined] == [each.record.relations for each in references(gold)]
    assert not any(each.has_values for each in joined)
    with pytest.raises(
        BrokenRecord, match=r"standoff\.jsonl line 1: It has no text. Name the folder .* --texts"
    ):
        list(references(bare))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("{", "line 1", id="no JSON"),
        pytest.param('{"id": "a"}', "line 1: .*sha256", id="neither text nor record"),
        pytest.param('{"id": "a", "facts": []}', "line 1: .*missing required field", id="broken record"),
        pytest.param('{"id": "a", "sha256": "0"}', "line 1: It has no text", id="stand-off"),
    ],
)
def test_broken_predictions_are_named(gold: Path, tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(BrokenRecord, match=message):
        evaluate([gold], PredictionsFile(path), resamples=100)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match=r"none\.jsonl"):
        evaluate([tmp_path / "none.jsonl"], Pipeline("rules"))
    with pytest.raises(UnreadableInput, match=r"evaluation\.json.*Make it with: gongkai evaluate"):
        read_evaluation(tmp_path)


def test_an_output_that_cannot_be_written(gold: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        evaluate_into(tmp_path / "file" / "out", [gold], Pipeline("rules"), resamples=100)
