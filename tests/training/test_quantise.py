"""A model in eight bits finds what it found before, but for what was in doubt."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

import gongkai
from gongkai.errors import EmptyInput, GongkaiError
from gongkai.gold.records import GoldRecord, write
from gongkai.ingest import read_text
from gongkai.model.bundle import SPANS, read_bundle
from gongkai.model.runtime import graph
from gongkai.pipeline import Extractor, analysis_of
from gongkai.types import Record
from gongkai_training import quantise as module
from gongkai_training.cli import app
from gongkai_training.config import (
    BiaffineRelations,
    Convolution,
    Encoder,
    TagSpans,
    Transformer,
)
from gongkai_training.export import export
from gongkai_training.quantise import NotQuantisable, convolutions_of, in_eight_bits, quantise
from trained_models import trained
from training_runs import DESIGNS, TWO, report

_RECORDS = (*TWO, *(report(f"made up {seed}", seed) for seed in range(4)))
_WITHOUT_ENTITIES = GoldRecord(id="plain", text="我们坚持以人为本，着力提高服务水平，切实改进工作作风。")
_TOLERANCE = 0.02
"""Of scores; they differ by 0.01 at most."""


def exported(folder: Path, number: int = 1, encoder: Encoder | None = None, steps: int = 60) -> Path:
    trained(folder / "trained", *DESIGNS[number], encoder, steps)
    return export(folder / "trained", folder / "exported").path


@pytest.fixture(scope="module")
def float32(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("model"))


@pytest.fixture
def folder(float32: Path, tmp_path: Path) -> Path:
    """A copy to quantise, and gold beside it."""
    write(TWO, tmp_path / "train.jsonl")
    return Path(shutil.copytree(float32, tmp_path / "model"))


def read(folder: Path) -> list[Record]:
    extractor = Extractor("model", folder, threads=1)
    return [extractor.extract(read_text(record.text)) for record in _RECORDS]


def spans(record: Record) -> dict[tuple[str, int, int], float]:
    return {(entity.label, entity.start, entity.end): entity.score for entity in record.entities}


@pytest.mark.parametrize(
    ("design", "encoder"),
    [
        (0, Convolution(width=20, dilations=(3,), dropout=0)),
        (1, None),
        (1, Convolution(width=36, dilations=(1, 2, 4, 8, 16, 2, 1), dropout=0)),
    ],
)
def test_the_same_is_found_but_for_what_was_in_doubt(
    tmp_path: Path, design: int, encoder: Encoder | None
) -> None:
    write(TWO, tmp_path / "train.jsonl")
    model = exported(tmp_path, design, encoder)
    before = read(model)
    done = quantise(model, [tmp_path / "train.jsonl"])
    assert done.agreement >= 0.95
    assert done.before > 3
    for one, other in zip(map(spans, before), map(spans, read(model)), strict=True):
        for span in one.keys() & other.keys():
            assert one[span] == pytest.approx(other[span], abs=_TOLERANCE)
        for span in one.keys() ^ other.keys():
            assert (one | other)[span] == pytest.approx(0.5, abs=_TOLERANCE)


def test_the_folder(folder: Path, float32: Path) -> None:
    done = quantise(folder, [folder.parent / "train.jsonl"])
    old, new = read_bundle(float32), read_bundle(folder)
    assert (old.description.numbers, new.description.numbers) == ("float32", "int8")
    assert new.description.trained == old.description.trained
    assert {"gongkai", "torch", "onnx", "onnxruntime"} <= new.description.versions.keys()
    assert new.relations == old.relations
    assert (done.bytes_before, done.bytes_after) == (len(old.spans), len(new.spans))
    kinds = [node.op_type for node in onnx.load_from_string(new.spans).graph.node]
    assert (kinds.count("MatMulIntegerToFloat"), kinds.count("Conv")) == (3, 0)
    assert done.characters == sum(len(record.text) for record in TWO)
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in float32.iterdir())
    nlp = gongkai.load("model", model=folder)
    text = TWO[0].text
    assert (
        analysis_of(nlp(text)).record().entities
        == Extractor("model", folder).extract(read_text(text)).entities
    )


def test_the_weights_take_a_quarter(tmp_path: Path) -> None:
    wide = exported(tmp_path, encoder=Convolution(width=128, dilations=(1, 2), dropout=0), steps=1)
    write(TWO, tmp_path / "train.jsonl")
    done = quantise(wide, [tmp_path / "train.jsonl"])
    saved = 2 * 128 * 3 * 256 * 3
    assert done.bytes_before - done.bytes_after == pytest.approx(saved, rel=0.03)


def graphs(folder: Path, gold: list[Path]) -> bytes:
    quantise(folder, gold)
    return (folder / SPANS).read_bytes()


def test_nothing_is_left_to_chance_or_to_the_order_of_the_gold(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHARACTERS", 150)
    gold = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    write(_RECORDS[:3], gold[0])
    write(_RECORDS[3:], gold[1])
    again, turned, others = (Path(shutil.copytree(folder, tmp_path / name)) for name in ("a", "b", "c"))
    assert sum(len(record.text) for record in _RECORDS) > 150
    made = graphs(folder, gold)
    assert graphs(again, gold) == made
    assert graphs(turned, gold[::-1]) == made
    assert graphs(others, gold[:1]) != made


def test_so_many_characters_are_read_at_most(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHARACTERS", 50)
    assert quantise(folder, [folder.parent / "train.jsonl"]).characters == 50


def test_the_command(folder: Path) -> None:
    arguments = ["quantise", str(folder), "--gold", str(folder.parent / "train.jsonl")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "MB; in 66 characters 10 spans before, 10 after" in done.output
    assert "F1 1.0000" in done.output
    assert isinstance(CliRunner().invoke(app, arguments).exception, NotQuantisable)


@pytest.mark.parametrize(
    ("encoder", "records", "error", "message"),
    [
        (Transformer(layers=1, width=48, heads=2, dropout=0), TWO, NotQuantisable, "has no convolutions"),
        (None, (), EmptyInput, "nothing for the model to read"),
        (None, (_WITHOUT_ENTITIES,), EmptyInput, "nothing for the model to read"),
    ],
    ids=["transformer", "no gold", "nothing that may hold an entity"],
)
def test_what_cannot_be_quantised_stays_as_it_is(
    tmp_path: Path,
    encoder: Encoder | None,
    records: tuple[GoldRecord, ...],
    error: type[GongkaiError],
    message: str,
) -> None:
    write(records, tmp_path / "train.jsonl")
    trained(tmp_path / "trained", TagSpans(), BiaffineRelations(size=8), encoder, steps=1)
    model = export(tmp_path / "trained", tmp_path / "exported").path
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    with pytest.raises(error, match=message):
        quantise(model, [tmp_path / "train.jsonl"])
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before


def test_once_is_enough(folder: Path) -> None:
    gold = [folder.parent / "train.jsonl"]
    made = graphs(folder, gold)
    with pytest.raises(NotQuantisable, match="in eight bits already"):
        quantise(folder, gold)
    assert (folder / SPANS).read_bytes() == made


# One convolution, of whole numbers, which eight bits hold exactly.


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(1, 4),
    st.tuples(st.integers(0, 5), st.integers(0, 5)),
    st.integers(0, 5),
    st.integers(0, 2**32 - 1),
)
def test_a_convolution_of_whole_numbers_stays_exact(
    width: int, outputs: int, size: int, dilation: int, pads: tuple[int, int], more: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(-63, 64, (outputs, width, size)).astype(np.float32)
    weights[:, 0, 0] = 63  # so that a step is 1
    bias = rng.integers(-9, 9, outputs).astype(np.float32)
    characters = max(1, dilation * (size - 1) + 1 - sum(pads)) + more
    rows = rng.integers(-127, 128, (2, characters, width)).astype(np.float32)
    float32 = convolution(weights, bias, dilation, pads)
    int8 = in_eight_bits(float32, convolutions_of(float32), [127])
    expected, found = (graph(each.SerializeToString(), 1)(rows=rows)[0] for each in (float32, int8))
    np.testing.assert_array_equal(found, expected)


def test_what_is_too_large_is_cut_off_and_no_weights_are_no_trouble() -> None:
    weights = np.array([[[63.0]], [[0.0]]], np.float32)
    float32 = convolution(weights, np.array([1, 2], np.float32), 1, (0, 0))
    int8 = in_eight_bits(float32, convolutions_of(float32), [127])
    rows = np.array([[[127], [500], [-500]]], np.float32)
    (found,) = graph(int8.SerializeToString(), 1)(rows=rows)
    np.testing.assert_array_equal(found, [[[127 * 63 + 1, 127 * 63 + 1, -128 * 63 + 1], [2, 2, 2]]])


def convolution(
    weights: np.ndarray, bias: np.ndarray, dilation: int, pads: tuple[int, int]
) -> onnx.ModelProto:
    """rows, (windows, characters, width), to y, (windows, outputs, characters)."""
    return helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Transpose", ["rows"], ["columns"], perm=[0, 2, 1]),
                helper.make_node(
                    "Conv", ["columns", "weights", "bias"], ["y"], dilations=[dilation], pads=list(pads)
                ),
            ],
            "convolution",
            [
                helper.make_tensor_value_info(
                    "rows", TensorProto.FLOAT, ("windows", "characters", weights.shape[1])
                )
            ],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
