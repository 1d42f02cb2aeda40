"""A trained model read by torch finds what its export finds, wherever a model's folder may be named."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import spacy
import torch

import gongkai
from gongkai.analysis import Analysis
from gongkai.errors import BrokenModel, ConfigError, GongkaiError
from gongkai.ingest import read_text
from gongkai.model import runtime
from gongkai.model.runtime import JointReader, MissingRuntime
from gongkai.pipeline import Extractor, analysis_of
from gongkai.reading import Reader, load_reader
from gongkai.types import Document, Mention
from gongkai_training.artifacts import CHARACTERS, ENCODER, SETTINGS, WEIGHTS
from gongkai_training.config import (
    BiaffineRelations,
    Encoder,
    PointerRelations,
    PointerSpans,
    Relations,
    Spans,
    TagSpans,
    Transformer,
)
from gongkai_training.export import export
from gongkai_training.reader import TorchReader
from gongkai_training.runs import CHECKPOINT, LOG
from trained_models import trained
from training_runs import TWO, report

_DESIGNS: dict[str, tuple[Spans, Relations, Encoder | None]] = {
    "tags": (TagSpans(), BiaffineRelations(size=8), None),
    "pointers": (PointerSpans(size=16, longest=24), PointerRelations(size=8), None),
    "transformer": (
        TagSpans(),
        BiaffineRelations(size=8),
        Transformer(layers=1, width=48, heads=2, dropout=0),
    ),
}
_TEXTS = (*(each.text for each in TWO), "无。", TWO[0].text + "\n" + TWO[1].text, report("", 1).text)


@pytest.fixture(scope="module", params=_DESIGNS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds a model as trained, and as exported."""
    path = tmp_path_factory.mktemp(request.param)
    spans, relations, encoder = _DESIGNS[request.param]
    trained(path / "trained", spans, relations, encoder)
    export(path / "trained", path / "exported")
    return path


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("one") / "trained", *_DESIGNS["tags"][:2], steps=1)


def assert_alike(found: Analysis, expected: Analysis) -> None:
    assert [m[:3] for m in found.model_mentions] == [m[:3] for m in expected.model_mentions]
    assert [k[:3] for k in found.model_links] == [k[:3] for k in expected.model_links]
    for ours, theirs in (
        (found.model_mentions, expected.model_mentions),
        (found.model_links, expected.model_links),
    ):
        assert [each.score for each in ours] == pytest.approx([each.score for each in theirs], abs=1e-4)
    assert [(e.label, e.start, e.end) for e in found.entities] == [
        (e.label, e.start, e.end) for e in expected.entities
    ]
    assert len(found.facts) == len(expected.facts)


@pytest.mark.parametrize("batch", [60, 100_000])
def test_torch_and_onnx_find_the_same(folder: Path, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_BATCH", batch)
    by_torch, by_onnx = (
        [analysis_of(doc) for doc in gongkai.load("model", model=folder / name, threads=1).pipe(_TEXTS)]
        for name in ("trained", "exported")
    )
    for found, expected in zip(by_torch, by_onnx, strict=True):
        assert_alike(found, expected)
    assert sum(len(found.model_links) for found in by_torch) > 5


def test_given_spans_are_related_alike(folder: Path) -> None:
    for gold in TWO:
        given = [Mention(e.label, e.start, e.end, "given", 1.0) for e in gold.entities]  # type: ignore[arg-type]
        document: Document = msgspec.structs.replace(read_text(gold.text), id=gold.id)
        by_torch, by_onnx = (
            Extractor("model", folder / name, threads=1).relate(document, given)
            for name in ("trained", "exported")
        )
        assert {(r.label, r.head, r.tail) for r in by_torch.relations} == {
            (r.label, r.head, r.tail) for r in by_onnx.relations
        }
        assert by_torch.relations


def test_the_folder_tells_which_reader(folder: Path) -> None:
    by_torch, by_onnx = load_reader(folder / "trained"), load_reader(folder / "exported")
    assert isinstance(by_torch, TorchReader)
    assert isinstance(by_torch, Reader)
    assert type(by_onnx) is JointReader
    assert isinstance(by_onnx, JointReader)
    ours, theirs = by_torch.description, by_onnx.description
    assert (ours.design, ours.longest, ours.overlap) == (theirs.design, theirs.longest, theirs.overlap)
    assert (ours.trained, ours.characters) == (theirs.trained, theirs.characters)


def test_threads(one: Path) -> None:
    before = torch.get_num_threads()
    try:
        load_reader(one, threads=3)
        assert torch.get_num_threads() == 3
        load_reader(one)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_a_saved_pipeline_takes_a_trained_model_along(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder / "trained", tmp_path / "trained")
    for name in (CHECKPOINT, LOG):
        (copy / name).write_bytes(b"of the training")
    nlp = gongkai.load("model", model=copy)
    nlp.to_disk(tmp_path / "saved")
    saved = {file.name for file in (tmp_path / "saved" / "gongkai_model").iterdir()}
    assert saved == {SETTINGS, WEIGHTS, CHARACTERS, ENCODER} & {file.name for file in copy.iterdir()}
    shutil.rmtree(copy)
    again = spacy.load(tmp_path / "saved")
    assert analysis_of(again(_TEXTS[0])).record() == analysis_of(nlp(_TEXTS[0])).record()


# Folders that are neither.


@pytest.mark.parametrize("mode", ["model", "hybrid"])
def test_a_folder_that_is_neither(mode: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing", "utf8")
    with pytest.raises(BrokenModel, match=r"model\.json.*`gongkai train` or `gongkai train export`"):
        gongkai.load(mode, model=tmp_path)


@pytest.mark.parametrize(
    ("name", "damage", "error"),
    [
        ("weights.safetensors", None, BrokenModel),
        ("weights.safetensors", b"cut off", BrokenModel),
        ("characters.json", None, BrokenModel),
        ("settings.yaml", b"epochs: many", ConfigError),
    ],
)
def test_a_training_that_left_no_model(
    one: Path, tmp_path: Path, name: str, damage: bytes | None, error: type[GongkaiError]
) -> None:
    copy = shutil.copytree(one, tmp_path / "copy")
    if damage is None:
        (copy / name).unlink()
    else:
        (copy / name).write_bytes(damage)
    with pytest.raises(error, match=str(copy)):
        gongkai.load("model", model=copy)


@pytest.mark.parametrize("missing", ["torch", "safetensors"])
def test_the_extra_is_not_installed(one: Path, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("gongkai_training.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingRuntime, match=rf"{missing}.*gongkai\[train\]"):
        gongkai.load("model", model=one)


def test_an_exported_model_needs_no_torch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "gongkai_training.reader", None)
    found = Extractor("model", folder / "exported", threads=1).extract(read_text(_TEXTS[0]))
    assert found.entities
