"""A trained model as the two graphs that `gongkai.model.runtime` runs, with the inputs and outputs of its bundle.

Two, because relations cost 4 · 8 · (size + 2) numbers a character and are needed at the ends of spans only.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from gongkai.model.bundle import Description
from gongkai.model.scheme import ENTITY_LABELS, RELATION_LABELS

from .artifacts import WEIGHTS, Trained
from .heads.pointer import PointerHead
from .heads.relations import BiaffineHead
from .heads.rotary import rotate
from .heads.tags import TagHead
from .model import JointModel

_OUTSIDE: Final = -1e4


class SpanGraph(nn.Module):
    """ids → hidden vectors, and what spans are decoded from: `spans.onnx`."""

    def __init__(self, model: JointModel) -> None:
        super().__init__()
        self.backbone = model.backbone
        self.head = (
            _Candidates(model.span_head) if isinstance(model.span_head, PointerHead) else model.span_head
        )

    def forward(self, ids: Tensor) -> tuple[Tensor, ...]:
        hidden = self.backbone(ids)[:, 1:-1]
        if isinstance(self.head, _Candidates):
            # From the input, the one tensor whose sizes the exporter never takes for fixed.
            return hidden, *self.head(hidden, torch.arange(ids.shape[1] - 2, device=ids.device))
        return hidden, self.head(hidden)


class _Candidates(nn.Module):
    """The scores of `PointerHead`, for those spans alone of which some label scores above 0."""

    def __init__(self, head: PointerHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, hidden: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """(windows, characters, width) → (candidates, 3): window, first character, width - 1; (candidates, labels)."""
        head = self.head
        first, last = rotate(head.ends(hidden).unflatten(-1, (2, head.size)), places).unbind(2)
        span = first @ last.transpose(1, 2) / head.size**0.5
        begin, end = head.labels(hidden).unflatten(-1, (2, len(ENTITY_LABELS))).unbind(2)
        characters = places.shape[0]
        # Rows of one more than a row each: the n-th begins n characters later, at the diagonal.
        row = characters + head.longest + 1
        flat = functional.pad(span, (0, row - characters)).flatten(1)
        banded = functional.pad(flat, (0, characters)).view(-1, characters, row + 1)[:, :, : head.longest]
        ends = functional.pad(end.amax(-1), (0, head.longest), value=_OUTSIDE)
        highest = (
            banded
            + begin.amax(-1).unsqueeze(2)
            + ends[:, places[:, None] + torch.arange(head.longest, device=places.device)]
        )
        candidates = (highest > 0).nonzero()
        window, start, width = candidates.unbind(1)
        logits = banded[window, start, width].unsqueeze(1) + begin[window, start] + end[window, start + width]
        return candidates, logits


class RelationGraph(nn.Module):
    """Hidden vectors of the first and last characters of spans → vectors of the spans: `relations.onnx`.

    What the head would say of a first character as an end, or of a last one as a start, is not computed.
    """

    def __init__(self, model: JointModel) -> None:
        super().__init__()
        head = model.relation_head
        self.size = head.size
        self.summed = isinstance(head, BiaffineHead)
        self.vectors = nn.ModuleList(_side(head.vectors, side) for side in range(2))
        self.biases = nn.ModuleList(_side(head.biases, side) for side in range(2))

    def forward(
        self, firsts: Tensor, lasts: Tensor, first_places: Tensor, last_places: Tensor
    ) -> tuple[Tensor, Tensor]:
        start, end = self._of(0, firsts, first_places), self._of(1, lasts, last_places)
        if self.summed:
            return _carrying(start[0] + end[0], start[1] + end[1])
        (head, tail), (other_head, other_tail) = _carrying(*start), _carrying(*end)
        return torch.cat((head, other_head), -1), torch.cat((tail, other_tail), -1)

    def _of(self, side: int, hidden: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """(spans, width) → (spans, 2, relations, size) vectors, (spans, 2, relations, 1) biases: as head, as tail."""
        relations = len(RELATION_LABELS)
        vectors = self.vectors[side](hidden).unflatten(-1, (2, relations, self.size))
        turned = rotate(vectors.unsqueeze(0), places)[0] / self.size**0.25
        return turned, self.biases[side](hidden).unflatten(-1, (2, relations, 1))


def _side(both: nn.Linear, side: int) -> nn.Linear:
    """The part of a layer for heads as start, heads as end, tails as start, tails as end that is for one side."""
    weight, bias = (
        each.detach().unflatten(0, (4, -1))[side::2].flatten(0, 1) for each in (both.weight, both.bias)
    )
    one = nn.Linear(both.in_features, both.out_features // 2, device="meta")
    one.weight, one.bias = nn.Parameter(weight), nn.Parameter(bias)
    return one


def _carrying(vectors: Tensor, biases: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors of heads and of tails whose dot product adds a bias of each (see `heads.relations`)."""
    # Of the biases' values, for what is made by their sizes alone has those sizes for good in an exported graph.
    ones = biases[:, 0] * 0 + 1
    head = torch.cat((vectors[:, 0], biases[:, 0], ones), -1)
    tail = torch.cat((vectors[:, 1], ones, biases[:, 1]), -1)
    return head, tail


def describe(folder: Path, trained: Trained) -> Description:
    """The description of the model in a folder, with no graphs."""
    data = trained.settings.data
    return Description(
        design="tags" if isinstance(trained.model.span_head, TagHead) else "pointer",
        longest=data.longest,
        overlap=data.overlap,
        characters="".join(trained.characters.characters),
        trained=hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest(),
        sha256={},
    )
