"""An exported model finds what the trained one finds, in every design."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from typer.testing import CliRunner

from gongkai.errors import BrokenModel, OutputError
from gongkai.gold.records import GoldRecord
from gongkai.model.bundle import DESCRIPTION, RELATIONS, SPANS, read_bundle
from gongkai.model.decode import Link
from gongkai.model.runtime import DocumentText, JointReader, Reading
from gongkai.structure import boilerplate, paragraphs_of
from gongkai.text import fold
from gongkai.types import Mention
from gongkai_training.artifacts import load_model
from gongkai_training.cli import app
from gongkai_training.config import (
    BiaffineRelations,
    Convolution,
    Encoder,
    Relations,
    Spans,
    TagSpans,
    Transformer,
)
from gongkai_training.evaluate import Prediction, predict, prepare
from gongkai_training.export import export
from trained_models import LONGEST, OVERLAP, trained
from training_runs import DESIGNS, TWO, report

_CONVOLUTION = Convolution(width=48, dilations=(1, 2, 4), dropout=0)
_TRANSFORMER = Transformer(layers=1, width=48, heads=2, dropout=0)
_RECORDS = (*TWO, *(report(f"made up {seed}", seed) for seed in range(4)))


def document(record: GoldRecord) -> DocumentText:
    view = fold(record.text)
    left_out = boilerplate.find(view)
    return DocumentText(view, paragraphs_of(view, left_out), left_out)


def unscored(found: Reading | Prediction) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    return [mention[:3] for mention in found.mentions], [link[:3] for link in found.links]


def scores(found: Reading | Prediction) -> list[float]:
    both: list[Mention | Link] = [*found.mentions, *found.links]
    return [each.score for each in both]


@pytest.mark.parametrize("encoder", [_CONVOLUTION, _TRANSFORMER], ids=["convolution", "transformer"])
@pytest.mark.parametrize(("spans", "relations"), DESIGNS)
@pytest.mark.parametrize("steps", [60, 3], ids=["trained", "hardly trained"])
def test_the_same_is_found(
    tmp_path: Path, encoder: Encoder, spans: Spans, relations: Relations, steps: int
) -> None:
    folder = trained(tmp_path / "trained", spans, relations, encoder, steps)
    export(folder, tmp_path / "exported")
    model, characters, _ = load_model(folder)
    expected = list(predict(model, prepare(_RECORDS, characters, LONGEST, OVERLAP), 200))
    found = JointReader.load(tmp_path / "exported", threads=1).read([document(r) for r in _RECORDS])
    assert [unscored(each) for each in found] == [unscored(each) for each in expected]
    for each, other in zip(found, expected, strict=True):
        assert scores(each) == pytest.approx(scores(other), abs=1e-4)
    if steps == 60:
        assert sum(len(each.links) for each in found) > 5


def test_the_folder_and_the_command(tmp_path: Path) -> None:
    folder = trained(tmp_path / "trained", TagSpans(), BiaffineRelations(size=8), steps=1)
    out = tmp_path / "exported"
    done = CliRunner().invoke(app, ["export", str(folder), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert "tags, 0.3 MB" in done.output
    assert sorted(path.name for path in out.iterdir()) == sorted((DESCRIPTION, SPANS, RELATIONS))
    description = read_bundle(out).description
    assert (description.design, description.longest, description.overlap) == ("tags", LONGEST, OVERLAP)
    assert description.characters == "".join(load_model(folder).characters.characters)
    with pytest.raises(OutputError, match="not empty"):
        export(folder, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    export(folder, out, force=True)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_no_trained_model(tmp_path: Path) -> None:
    folder = trained(tmp_path / "trained", TagSpans(), BiaffineRelations(size=8), steps=1)
    (folder / "weights.safetensors").unlink()
    with pytest.raises(BrokenModel, match="no trained model"):
        export(folder, tmp_path / "exported")
