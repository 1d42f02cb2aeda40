"""Spans as pairs of their first and last character (efficient global pointer)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gongkai.model.scheme import ENTITY_LABELS

from ..batching import Batch
from ..config import PointerSpans
from .losses import multilabel
from .rotary import rotate


class PointerHead(nn.Module):
    """Characters to scores of spans: one score for being a span at all, and one for each label.

    score(label, i, j) = q_i · k_j / √size + a_label(i) + b_label(j), q and k turned by their position: the efficient
    global pointer of Su et al. 2022 (https://arxiv.org/abs/2208.03054), on spans of bounded length only.
    """

    def __init__(self, width: int, settings: PointerSpans) -> None:
        super().__init__()
        self.size, self.longest = settings.size, settings.longest
        self.ends = nn.Linear(width, 2 * settings.size)
        self.labels = nn.Linear(width, 2 * len(ENTITY_LABELS))

    def forward(self, hidden: Tensor) -> Tensor:
        """(windows, characters, width) → (windows, characters, longest, labels): logit of the span of w + 1 characters
        that begins at a character; minus 10,000 where it would reach beyond the window, float32.
        """
        first, last = rotate(self.ends(hidden).unflatten(-1, (2, self.size))).unbind(2)
        span = first @ last.transpose(1, 2) / self.size**0.5
        begin, end = self.labels(hidden).float().unflatten(-1, (2, len(ENTITY_LABELS))).unbind(2)
        characters = hidden.shape[1]
        place = torch.arange(characters, device=hidden.device)[:, None]
        place = place + torch.arange(self.longest, device=hidden.device)
        inside = place < characters
        place = place.clamp(max=characters - 1)
        banded: Tensor = span.gather(2, place.expand(len(hidden), -1, -1)).unsqueeze(-1)
        scores: Tensor = banded + begin.unsqueeze(2) + end[:, place]
        return scores.masked_fill(~inside[None, :, :, None], -1e4)

    def loss(self, scores: Tensor, batch: Batch, present: Tensor) -> Tensor:
        """Multi-label loss of each label over the spans of a window, mean over labels and windows.

        A gold span longer than the bound cannot be learned and is left out.
        """
        right = np.zeros(scores.shape, np.float32)
        for window, example in enumerate(batch.examples):
            for label, first, last, probability in (*example.spans, *example.doubtful):
                if last - first < self.longest:
                    right[window, first, last - first, label] = probability
        ends = torch.arange(scores.shape[1])[:, None] + torch.arange(self.longest)
        within = ends < torch.tensor(batch.lengths)[:, None, None]
        valid = within.to(scores.device)[..., None].expand(scores.shape)
        chances = torch.from_numpy(right).to(scores.device)
        losses = multilabel(
            scores.permute(0, 3, 1, 2).flatten(2),
            chances.permute(0, 3, 1, 2).flatten(2),
            valid.permute(0, 3, 1, 2).flatten(2),
        )
        return losses.mean()
