"""Spans as tags: begin, inside, end, single or outside, for each label apart, so that labels may nest."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gongkai.model.scheme import ENTITY_LABELS, Tag

from ..batching import Batch


class TagHead(nn.Module):
    """Characters to tags.

    The transitions are those that the tags' meaning allows (see `gongkai.model.decode.spans_of_tags`), not learned:
    above an encoder that sees the neighbours there is little left to learn, and each character's tag is then a
    probability of its own, which calibrates.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, len(ENTITY_LABELS) * len(Tag))

    def forward(self, hidden: Tensor) -> Tensor:
        """(windows, characters, width) → (windows, characters, labels, tags): log probabilities, float32."""
        scores = self.linear(hidden).float()
        return functional.log_softmax(scores.view(*hidden.shape[:2], len(ENTITY_LABELS), len(Tag)), -1)

    def loss(self, scores: Tensor, batch: Batch, present: Tensor) -> Tensor:
        """Cross-entropy, summed over the labels, mean over the characters.

        Silver counts as decisions: its spans that are more likely there than not, the likeliest of those that overlap.

        Args:
            scores: Of `forward`.
            present: (windows, characters), bool: no padding.
        """
        truth = torch.from_numpy(_tags(batch, scores.shape[1])).to(scores.device)
        losses = functional.nll_loss(scores.flatten(0, 2), truth.flatten(), reduction="none")
        return losses.view(truth.shape).sum(-1)[present].mean()


def _tags(batch: Batch, longest: int) -> NDArray[np.int64]:
    """(windows, longest, labels)."""
    tags = np.zeros((len(batch.examples), longest, len(ENTITY_LABELS)), np.int64)
    for row, example in zip(tags, batch.examples, strict=True):
        for label, first, last, _ in sorted(example.spans, key=lambda span: -span.probability):
            if row[first : last + 1, label].any():
                continue
            row[first : last + 1, label] = Tag.I
            row[first, label], row[last, label] = Tag.B, Tag.E
            if first == last:
                row[first, label] = Tag.S
    return tags
