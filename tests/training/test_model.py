"""The joint model learns two sentences by heart, in every design, and is the same after saving and loading."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from gongkai.errors import BrokenModel, GongkaiError
from gongkai.model.characters import FIRST, LAST, SPECIAL, UNKNOWN
from gongkai_training.artifacts import (
    CHARACTERS,
    SETTINGS,
    WEIGHTS,
    load_model,
    write_description,
    write_weights,
)
from gongkai_training.batching import batch_of
from gongkai_training.config import (
    Convolution,
    Data,
    Encoder,
    Relations,
    Spans,
    TrainSettings,
    Transformer,
)
from gongkai_training.data import Gold, Split, characters_of
from gongkai_training.evaluate import Prediction, predict, prepare, score
from gongkai_training.model import JointModel, hide
from training_runs import DESIGNS, TWO

_CHARACTERS = characters_of(TWO, least=1)
_DOCUMENTS = prepare(TWO, _CHARACTERS, 64, 0)
_GOLD = Gold(train=Split(files=()), dev=Split(files=()))
_CONVOLUTION = Convolution(width=64, dilations=(1, 2, 4), dropout=0)
_TRANSFORMER = Transformer(layers=1, width=64, heads=2, dropout=0)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def learned(settings: TrainSettings) -> JointModel:
    """A model after a hundred steps on the two sentences."""
    torch.manual_seed(1)
    model = JointModel(settings, len(_CHARACTERS))
    batch = batch_of([example for document in _DOCUMENTS for example in document.examples])
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(100):
        optimizer.zero_grad()
        model.losses(model(torch.from_numpy(batch.ids)), batch).total.backward()
        optimizer.step()
    return model


def found(model: JointModel, budget: int = 1000) -> list[Prediction]:
    return list(predict(model, _DOCUMENTS, budget))


@pytest.mark.parametrize("encoder", [_CONVOLUTION, _TRANSFORMER], ids=["convolution", "transformer"])
@pytest.mark.parametrize(("spans", "relations"), DESIGNS)
def test_two_sentences_by_heart(tmp_path: Path, encoder: Encoder, spans: Spans, relations: Relations) -> None:
    settings = TrainSettings(
        data=Data(train=(), dev=()), encoder=encoder, spans=spans, relations=relations, dropout=0
    )
    model = learned(settings)
    before = found(model)
    scores = score(TWO, before)
    assert (scores.span_f1, scores.relation_f1) == (1.0, 1.0)

    write_description(tmp_path, settings, _CHARACTERS, None, _GOLD)
    write_weights(tmp_path, model, {"dev": scores}, epoch=0)
    loaded = load_model(tmp_path)
    assert loaded.settings == settings
    assert loaded.characters.characters == _CHARACTERS.characters
    assert found(loaded.model) == before


@pytest.mark.parametrize("encoder", [_CONVOLUTION, _TRANSFORMER], ids=["convolution", "transformer"])
@pytest.mark.parametrize(("spans", "relations"), DESIGNS[:2])
def test_a_window_reads_the_same_in_any_batch(encoder: Encoder, spans: Spans, relations: Relations) -> None:
    settings = TrainSettings(data=Data(train=(), dev=()), encoder=encoder, spans=spans, relations=relations)
    torch.manual_seed(1)
    model = JointModel(settings, len(_CHARACTERS)).eval()
    (long,), (short,) = (document.examples for document in _DOCUMENTS)
    assert len(long.ids) != len(short.ids)
    if len(long.ids) < len(short.ids):
        long, short = short, long
    together = model(torch.from_numpy(batch_of([long, short]).ids))
    alone = model(torch.from_numpy(batch_of([short]).ids))
    length = len(short.ids) - 2
    for a, b in zip(together, alone, strict=True):
        inside = b[0] > -999 if b.ndim == 4 else torch.ones_like(b[0], dtype=torch.bool)
        torch.testing.assert_close(a[1, :length][inside], b[0][inside], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", [WEIGHTS, CHARACTERS, SETTINGS])
@pytest.mark.parametrize("damage", ["missing", "cut off"])
def test_a_damaged_model_is_named(tmp_path: Path, name: str, damage: str) -> None:
    settings = TrainSettings(data=Data(train=(), dev=()), encoder=_CONVOLUTION)
    write_description(tmp_path, settings, _CHARACTERS, None, _GOLD)
    write_weights(tmp_path, JointModel(settings, len(_CHARACTERS)), {}, epoch=0)
    load_model(tmp_path)
    if damage == "missing":
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:20])
    with pytest.raises(GongkaiError, match=str(tmp_path)):
        load_model(tmp_path)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    settings = TrainSettings(data=Data(train=(), dev=()), encoder=_CONVOLUTION)
    write_description(tmp_path, settings, _CHARACTERS, None, _GOLD)
    write_weights(tmp_path, JointModel(settings, len(_CHARACTERS) + 1), {}, epoch=0)
    with pytest.raises(BrokenModel, match="embedding"):
        load_model(tmp_path)


def test_hidden_characters_are_unknown_and_the_frame_stays() -> None:
    torch.manual_seed(1)
    ids = torch.tensor([[FIRST, *range(5, 1005), LAST, 0, 0]])
    hidden = hide(ids, 0.3)
    changed = hidden != ids
    assert 250 < changed.sum() < 350
    assert (hidden[changed] == UNKNOWN).all()
    assert hidden[0, [0, -3, -2, -1]].tolist() == [FIRST, LAST, 0, 0]
    assert hide(ids, 0) is ids


def test_a_convolution_begins_with_the_axes_of_an_encoders_embedding(tmp_path: Path) -> None:
    """Characters that are near each other in the encoder stay so, and all are as spread out as random ones."""
    from transformers import BertConfig, BertModel

    from gongkai_training.backbones import EMBEDDING_SPREAD, build, load_embedding

    torch.manual_seed(0)
    bert = BertModel(
        BertConfig(
            vocab_size=40, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
        ),
        add_pooling_layer=False,
    )
    bert.save_pretrained(tmp_path)
    backbone = build(Convolution(width=16, dilations=(1,)), 40, None)
    load_embedding(backbone, tmp_path)
    ours, theirs = backbone.embedding.weight.detach(), bert.embeddings.word_embeddings.weight.detach()
    assert not ours[0].any(), "padding stays 0"
    assert ours[SPECIAL:].std().item() == pytest.approx(EMBEDDING_SPREAD, rel=1e-4)
    distances, expected = (
        torch.cdist(ours[SPECIAL:], ours[SPECIAL:]),
        torch.cdist(theirs[SPECIAL:], theirs[SPECIAL:]),
    )
    torch.testing.assert_close(distances / distances.max(), expected / expected.max(), rtol=1e-3, atol=1e-3)
