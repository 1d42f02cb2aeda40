"""Encoders under the heads: ids in, one vector a character out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertModel
from transformers.utils import logging

from gongkai.errors import ConfigError, GongkaiError
from gongkai.model.characters import PAD, SPECIAL

from .config import Convolution, Encoder, Pretrained, Transformer
from .encoder.initial import evenly_spaced

_POSITIONS = 512
EMBEDDING_SPREAD = 0.5
"""Standard deviation of a convolution's first embeddings."""


class MissingEncoder(GongkaiError):
    """There is no encoder where the settings say."""


class Backbone(nn.Module):
    """What the heads stand on.

    Attributes:
        width: Of a character's vector.
        longest: Characters of a window that it can read; None without limit.
    """

    width: int
    longest: int | None

    def forward(self, ids: Tensor) -> Tensor:
        """(windows, characters + 2) int64 → (windows, characters + 2, width)."""
        raise NotImplementedError

    def layers(self) -> list[nn.Module]:
        """From the embedding up: what learns the more slowly the lower it is."""
        return [self]


class BertBackbone(Backbone):
    """A BERT of one token a character."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert
        self.width = int(bert.config.hidden_size)
        self.longest = int(bert.config.max_position_embeddings) - 2

    def forward(self, ids: Tensor) -> Tensor:
        """As `Backbone`."""
        hidden: Tensor = self.bert(input_ids=ids, attention_mask=(ids != PAD).long()).last_hidden_state
        return hidden

    def layers(self) -> list[nn.Module]:
        """Embedding, then each layer."""
        return [self.bert.embeddings, *self.bert.encoder.layer]


class ConvolutionBackbone(Backbone):
    """Gated dilated convolutions with gated residuals, which know no position but each other's.

    Each layer: y = x · (1 − g) + a · g, with a and g = σ(b) of one convolution (after the gates of Dauphin et al. 2017,
    https://arxiv.org/abs/1612.08083, and the dilations of Strubell et al. 2017, https://arxiv.org/abs/1702.02098).
    """

    def __init__(self, vocabulary: int, settings: Convolution) -> None:
        super().__init__()
        self.width = settings.width
        self.longest = None
        self.embedding = nn.Embedding(vocabulary, settings.width, padding_idx=PAD)
        nn.init.normal_(self.embedding.weight, std=EMBEDDING_SPREAD)
        self.dropout = nn.Dropout(settings.dropout)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(settings.width, 2 * settings.width, 3, padding=dilation, dilation=dilation)
            for dilation in settings.dilations
        )
        self.norms = nn.ModuleList(nn.LayerNorm(settings.width) for _ in settings.dilations)

    def forward(self, ids: Tensor) -> Tensor:
        """As `Backbone`; padding stays 0, so that a window reads the same in any batch."""
        present = (ids != PAD).unsqueeze(-1)
        hidden: Tensor = self.dropout(self.embedding(ids)) * present
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            update, gate = convolution(norm(hidden).mul(present).transpose(1, 2)).chunk(2, 1)
            gate = torch.sigmoid(gate).transpose(1, 2)
            hidden = (hidden * (1 - gate) + self.dropout(update.transpose(1, 2)) * gate) * present
        return functional.layer_norm(hidden, (self.width,))


def build(settings: Encoder, vocabulary: int, bert: dict[str, Any] | None) -> Backbone:
    """The encoder with random weights.

    Args:
        bert: Configuration of a pretrained encoder (see `bert_configuration`).
    """
    if isinstance(settings, Convolution):
        return ConvolutionBackbone(vocabulary, settings)
    if isinstance(settings, Transformer):
        bert = BertConfig(
            vocab_size=vocabulary,
            hidden_size=settings.width,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            intermediate_size=4 * settings.width,
            hidden_dropout_prob=settings.dropout,
            attention_probs_dropout_prob=settings.dropout,
            max_position_embeddings=_POSITIONS,
            pad_token_id=PAD,
        ).to_dict()
    return BertBackbone(BertModel(BertConfig.from_dict(bert or {}), add_pooling_layer=False))


def bert_configuration(settings: Pretrained) -> dict[str, Any]:
    """Configuration of a pretrained encoder with the layers and the dropout that the settings ask for.

    Raises:
        MissingEncoder: Its folder holds none.
        ConfigError: More layers are asked for than it has.
    """
    path = Path(settings.path)
    if not settings.path or not (path / "config.json").is_file():
        raise MissingEncoder(
            f"encoder {settings.path or '(none)'}",
            "There is no encoder.",
            "Name its folder with --encoder; `gongkai train init` makes one.",
        )
    config = BertConfig.from_pretrained(path)
    if (settings.layers or 1) > config.num_hidden_layers:
        raise ConfigError(
            "encoder.layers",
            f"{settings.layers} of {config.num_hidden_layers} layers cannot be kept.",
            "Ask for fewer.",
        )
    config.num_hidden_layers = settings.layers or config.num_hidden_layers
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = settings.dropout
    return dict(config.to_dict())


def load_embedding(backbone: Backbone, folder: Path) -> None:
    """Give a convolution the embeddings of an encoder, on their principal axes, as spread out as random ones."""
    assert isinstance(backbone, ConvolutionBackbone)
    vectors = _pretrained(folder).embeddings.word_embeddings.weight.detach()
    centred = vectors - vectors[SPECIAL:].mean(0)
    _, _, axes = torch.linalg.svd(centred[SPECIAL:], full_matrices=False)
    projected = centred @ axes[: backbone.width].T
    with torch.no_grad():
        backbone.embedding.weight.copy_(projected * (EMBEDDING_SPREAD / projected[SPECIAL:].std()))
        backbone.embedding.weight[PAD] = 0


def load_pretrained(backbone: Backbone, settings: Pretrained) -> None:
    """Give a backbone of `build` the pretrained weights."""
    assert isinstance(backbone, BertBackbone)
    whole = _pretrained(Path(settings.path))
    kept = evenly_spaced(len(backbone.bert.encoder.layer), len(whole.encoder.layer))
    whole.encoder.layer = nn.ModuleList(whole.encoder.layer[number] for number in kept)
    backbone.bert.load_state_dict(whole.state_dict())


def _pretrained(folder: Path) -> BertModel:
    """The encoder in a folder of `gongkai train init` or `adapt`."""
    # It would report each weight of the masked-language-modelling head as unexpected.
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    return BertModel.from_pretrained(folder, add_pooling_layer=False)
