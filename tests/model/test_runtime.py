"""The model without torch: batching and skipping leave results as they are, and a broken folder is named."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from gongkai.errors import BrokenModel
from gongkai.model import runtime
from gongkai.model.bundle import DESCRIPTION, RELATIONS, SPANS
from gongkai.model.cues import may_hold_entity
from gongkai.model.runtime import DocumentText, JointReader, MissingRuntime, Reading
from gongkai.structure import boilerplate, paragraphs_of
from gongkai.text import fold
from gongkai_training.config import BiaffineRelations, PointerSpans, Spans, TagSpans
from gongkai_training.export import export
from trained_models import trained
from training_runs import TWO, report

_DESIGNS: dict[str, Spans] = {"tags": TagSpans(), "pointer": PointerSpans(size=16, longest=24)}
_DULL = "我们坚持以人为本,着力提高服务水平,切实改进工作作风。"


def document(text: str) -> DocumentText:
    view = fold(text)
    left_out = boilerplate.find(view)
    return DocumentText(view, paragraphs_of(view, left_out), left_out)


_ONE, _OTHER = (record.text for record in TWO)
_TEXTS = (
    _ONE,
    _OTHER,
    f"{_ONE}\n{_OTHER}",
    "\n".join((_OTHER, _ONE, _OTHER)),
    _ONE + _ONE,
    report("", 1).text,
)
_DOCUMENTS = [document(text) for text in _TEXTS]


@pytest.fixture(scope="session", params=_DESIGNS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp(request.param)
    trained(path / "trained", _DESIGNS[request.param], BiaffineRelations(size=8))
    return export(path / "trained", path / "exported").path


@pytest.fixture
def reader(folder: Path) -> JointReader:
    return JointReader.load(folder, threads=1)


def assert_alike(found: list[Reading], expected: list[Reading]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert [m[:3] for m in one.mentions] == [m[:3] for m in other.mentions]
        assert [link[:3] for link in one.links] == [link[:3] for link in other.links]
        for a, b in ((one.mentions, other.mentions), (one.links, other.links)):
            assert [each.score for each in a] == pytest.approx([each.score for each in b], abs=1e-5)


def test_two_sentences_by_heart(reader: JointReader) -> None:
    for record, reading in zip(TWO, reader.read(_DOCUMENTS[:2]), strict=True):
        own = {e.id: (e.label, e.start, e.end) for e in record.entities}
        assert {m[:3] for m in reading.mentions} == set(own.values())
        assert {
            (k.label, reading.mentions[k.head][:3], reading.mentions[k.tail][:3]) for k in reading.links
        } == {(r.label, own[r.head], own[r.tail]) for r in record.relations}


def test_a_document_reads_the_same_in_any_company(
    reader: JointReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = [reader.read([each])[0] for each in _DOCUMENTS]
    assert sum(len(each.mentions) for each in alone) > 20
    assert_alike(reader.read(_DOCUMENTS), alone)
    assert_alike(reader.read(_DOCUMENTS[::-1]), alone[::-1])
    monkeypatch.setattr(runtime, "_GROUP", 60)
    monkeypatch.setattr(runtime, "_BATCH", 100)
    assert_alike(reader.read(_DOCUMENTS), alone)


def test_links_of_its_own_mentions_are_those_that_it_finds(reader: JointReader) -> None:
    readings = reader.read(_DOCUMENTS)
    links = reader.relate(_DOCUMENTS, [each.mentions for each in readings])
    assert_alike([Reading(r.mentions, k) for r, k in zip(readings, links, strict=True)], readings)


def test_links_lead_only_between_given_mentions(reader: JointReader) -> None:
    (reading,) = reader.read(_DOCUMENTS[:1])
    given = [m for m in reading.mentions if m.label != "METRIC"]
    (links,) = reader.relate(_DOCUMENTS[:1], [given])
    assert {(k.label, given[k.head][:3], given[k.tail][:3]) for k in links} == {
        (k.label, reading.mentions[k.head][:3], reading.mentions[k.tail][:3])
        for k in reading.links
        if k.label != "value_of"
    }


@pytest.mark.parametrize("texts", [[], [""], ["", TWO[0].text, "\n"], [_DULL]])
def test_nothing_to_read(reader: JointReader, texts: list[str]) -> None:
    readings = reader.read([document(text) for text in texts])
    assert [bool(each.mentions) for each in readings] == [text == TWO[0].text for text in texts]


def test_a_paragraph_that_can_hold_no_entity_is_not_read(
    reader: JointReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    see = JointReader._see

    def counting(self: JointReader, windows: object) -> object:
        read.append(sum(map(len, windows)))  # type: ignore[call-overload]
        return see(self, windows)  # type: ignore[arg-type]

    monkeypatch.setattr(JointReader, "_see", counting)
    reader.read([document(f"{TWO[0].text}\n{_DULL}")])
    reader.read([document(TWO[0].text)])
    assert read[0] == read[1] > 0


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("收到申请863件,均按时答复,未收取费用,受到群众好评。", True),
        ("我们认真贯彻落实《政府信息公开条例》,稳步推进信息公开。", True),
        ("区政府高度重视信息公开,加强组织领导,完善工作机制和制度。", True),
        ("行政许可", True),
        (_DULL, False),
    ],
)
def test_cues(paragraph: str, expected: bool) -> None:
    assert may_hold_entity(paragraph) is expected


def test_scores_are_calibrated_by_label(folder: Path, tmp_path: Path) -> None:
    plain = JointReader.load(folder, threads=1).read(_DOCUMENTS)
    copy = copied(folder, tmp_path)
    description = json.loads((copy / DESCRIPTION).read_text("utf-8"))
    description["temperatures"] = {"COUNT": 2.0}
    (copy / DESCRIPTION).write_text(json.dumps(description), "utf-8")
    calibrated = JointReader.load(copy, threads=1).read(_DOCUMENTS)
    for one, other in zip(plain, calibrated, strict=True):
        assert one.links == other.links
        for before, after in zip(one.mentions, other.mentions, strict=True):
            odds = before.score / (1 - before.score) if before.score < 1 else float("inf")
            cooled = odds**0.5 / (1 + odds**0.5) if odds < float("inf") else 1
            assert after.score == pytest.approx(cooled if before.label == "COUNT" else before.score)


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to / "model"))


@pytest.mark.parametrize("name", [DESCRIPTION, SPANS, RELATIONS])
@pytest.mark.parametrize("damage", ["missing", "cut off"])
def test_a_damaged_model_is_named(folder: Path, tmp_path: Path, name: str, damage: str) -> None:
    path = copied(folder, tmp_path) / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BrokenModel, match=rf"{name}: .*--mode rules"):
        JointReader.load(path.parent)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(BrokenModel, match="no such folder"):
        JointReader.load(tmp_path / "nowhere")


def test_another_version(folder: Path, tmp_path: Path) -> None:
    path = copied(folder, tmp_path) / DESCRIPTION
    path.write_text('{"schema": 2, "design": "something new"}', "utf-8")
    with pytest.raises(BrokenModel, match="version 2; this gongkai reads version 1"):
        JointReader.load(path.parent)


def test_no_onnxruntime(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingRuntime, match="pip install"):
        JointReader.load(folder)
