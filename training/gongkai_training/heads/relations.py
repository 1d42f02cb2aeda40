"""Relations as dot products of what a head's and a tail's first and last character say of themselves.

Both designs give the same outputs, which `gongkai.model.decode.relate` reads; they differ in what they learn from.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gongkai.model.scheme import RELATION_LABELS, relation_pairs

from ..batching import Batch
from .losses import multilabel
from .rotary import rotate

_ALLOWED = torch.from_numpy(relation_pairs())


class RelationVectors(NamedTuple):
    """(windows, characters, 2, relations, size), float32, the third axis: as start, as end."""

    heads: Tensor
    tails: Tensor


class BiaffineHead(nn.Module):
    """Learned on gold spans: for each that may be a head, its tails against all others that may be one.

    A span's vector is the sum of its start's and its end's, each turned by its position; the score of a pair is a dot
    product and a bias of each (biaffine, Dozat & Manning 2017, https://arxiv.org/abs/1611.01734; heads that select
    their tails: Bekoulis et al. 2018, https://arxiv.org/abs/1804.07847).
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.vectors = nn.Linear(width, 4 * len(RELATION_LABELS) * size)
        self.biases = nn.Linear(width, 4 * len(RELATION_LABELS))

    def forward(self, hidden: Tensor, places: Tensor | None = None) -> RelationVectors:
        """(windows, characters, width) → vectors of size + 2: the last two carry the biases.

        Args:
            places: Positions of the characters, as `rotate` takes them.
        """
        vectors = self.vectors(hidden).unflatten(-1, (4, len(RELATION_LABELS), self.size))
        vectors = rotate(vectors, places) / self.size**0.25
        biases = self.biases(hidden).float().unflatten(-1, (4, len(RELATION_LABELS), 1))
        heads = torch.cat((vectors[:, :, :2], biases[:, :, :2], _ones(biases)), -1)
        tails = torch.cat((vectors[:, :, 2:], _ones(biases), biases[:, :, 2:]), -1)
        return RelationVectors(heads, tails)

    def loss(self, vectors: RelationVectors, batch: Batch) -> Tensor:
        """Multi-label loss over the tails of each head, mean over the heads that may have one."""
        most = max(len(example.spans) for example in batch.examples)
        if most < 2:
            return vectors.heads.sum() * 0
        spans = np.zeros((len(batch.examples), most, 3), np.int64)
        present = torch.zeros(len(batch.examples), most, dtype=torch.bool)
        right = np.zeros((len(batch.examples), len(RELATION_LABELS), most, most), np.float32)
        for number, example in enumerate(batch.examples):
            if example.spans:
                spans[number, : len(example.spans)] = [span[:3] for span in example.spans]
                present[number, : len(example.spans)] = True
            for relation, head, tail, probability in example.relations:
                right[number, relation, head, tail] = probability
        label, first, last = torch.from_numpy(spans).unbind(-1)
        allowed = _ALLOWED[:, label[:, :, None], label[:, None, :]].transpose(0, 1)
        allowed = allowed & (present[:, :, None] & present[:, None, :])[:, None]
        allowed = allowed & ~torch.eye(most, dtype=torch.bool)
        device = vectors.heads.device
        window = torch.arange(len(spans), device=device)[:, None]
        first, last = first.to(device), last.to(device)
        heads = vectors.heads[window, first, 0] + vectors.heads[window, last, 1]
        tails = vectors.tails[window, first, 0] + vectors.tails[window, last, 1]
        scores = torch.einsum("bhrd,btrd->brht", heads, tails)
        losses = multilabel(scores, torch.from_numpy(right).to(device), allowed.to(device))
        return losses[allowed.any(-1).to(device)].sum() / max(1, int(allowed.any(-1).sum()))


def _each(sides: Tensor, biases: Tensor) -> Tensor:
    """(2,) numbers, as start and as end, for each character and relation."""
    # Of the biases' values, for what is made by their sizes alone has those sizes for good in an exported graph.
    return biases[:, :, :2] * 0 + sides.to(biases.device)[:, None, None]


def _ones(biases: Tensor) -> Tensor:
    """1 as start, 0 as end, so that a bias counts once for each of start and end of the other side."""
    return _each(torch.tensor([1.0, 0.0]), biases)


class PointerRelationHead(nn.Module):
    """Learned on all characters: starts of heads with starts of tails, and ends with ends.

    Two global pointers for each relation (https://arxiv.org/abs/2208.03054); a pair of spans scores the sum of the two,
    which are kept apart by the halves of the vectors.
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.vectors = nn.Linear(width, 4 * len(RELATION_LABELS) * size)
        self.biases = nn.Linear(width, 4 * len(RELATION_LABELS))

    def forward(self, hidden: Tensor, places: Tensor | None = None) -> RelationVectors:
        """(windows, characters, width) → vectors of 2 · (size + 2); `places` as in `BiaffineHead`."""
        vectors = self.vectors(hidden).unflatten(-1, (4, len(RELATION_LABELS), self.size))
        vectors = rotate(vectors, places) / self.size**0.25
        biases = self.biases(hidden).float().unflatten(-1, (4, len(RELATION_LABELS), 1))
        ones = _each(torch.ones(2), biases)
        heads = torch.cat((vectors[:, :, :2], biases[:, :, :2], ones), -1)
        tails = torch.cat((vectors[:, :, 2:], ones, biases[:, :, 2:]), -1)
        return RelationVectors(_halves(heads), _halves(tails))

    def loss(self, vectors: RelationVectors, batch: Batch) -> Tensor:
        """Multi-label loss of starts and of ends over a window's pairs of characters, mean over relations.

        Of relations that share their starts, or their ends, the likeliest counts there.
        """
        characters = vectors.heads.shape[1]
        lengths = torch.tensor(batch.lengths)
        present = torch.arange(characters) < lengths[:, None]
        valid = (present[:, :, None] & present[:, None, :])[:, None]
        total = vectors.heads.new_zeros(())
        for side in range(2):
            right = np.zeros((len(batch.examples), len(RELATION_LABELS), characters, characters), np.float32)
            for number, example in enumerate(batch.examples):
                ends = [(span.first, span.last)[side] for span in example.spans]
                for relation, head, tail, probability in example.relations:
                    place = number, relation, ends[head], ends[tail]
                    right[place] = max(right[place], probability)
            heads, tails = vectors.heads[:, :, side], vectors.tails[:, :, side]
            scores = torch.einsum("bhrd,btrd->brht", heads, tails)
            total = (
                total
                + multilabel(
                    scores.flatten(2),
                    torch.from_numpy(right).flatten(2).to(scores.device),
                    valid.expand(right.shape).flatten(2).to(scores.device),
                ).mean()
            )
        return total / 2


def _halves(vectors: Tensor) -> Tensor:
    """As start, a vector fills the first half of a longer one, as end the second: their sum keeps both apart."""
    start, end = vectors[:, :, :1], vectors[:, :, 1:]
    size = vectors.shape[-1]
    return torch.cat((functional.pad(start, (0, size)), functional.pad(end, (size, 0))), 2)
