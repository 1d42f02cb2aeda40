"""The joint model: one encoder, spans and relations of one forward pass."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gongkai.model.characters import SPECIAL, UNKNOWN
from gongkai.model.decode import Vectors, spans_of_pointers, spans_of_tags
from gongkai.types import Mention

from .backbones import Backbone, build
from .batching import Batch
from .config import BiaffineRelations, TagSpans, TrainSettings
from .heads.pointer import PointerHead
from .heads.relations import BiaffineHead, PointerRelationHead, RelationVectors
from .heads.tags import TagHead


class Outputs(NamedTuple):
    """What a forward pass gives for each character of each window, padding included, float32.

    Attributes:
        spans: As `TagHead.forward` or `PointerHead.forward`.
        heads, tails: As `RelationVectors`.
    """

    spans: Tensor
    heads: Tensor
    tails: Tensor


class Losses(NamedTuple):
    """What is minimised, and of what it is made."""

    total: Tensor
    spans: Tensor
    relations: Tensor


class JointModel(nn.Module):
    """Characters to spans and relations.

    Args:
        vocabulary: Ids of the characters, special ones included.
        bert: Configuration of a pretrained encoder, else None.
    """

    def __init__(self, settings: TrainSettings, vocabulary: int, bert: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.relation_weight = settings.optimisation.relation_weight
        self.backbone: Backbone = build(settings.encoder, vocabulary, bert)
        self.dropout = nn.Dropout(settings.dropout)
        width = self.backbone.width
        spans, relations = settings.spans, settings.relations
        self.span_head: TagHead | PointerHead = (
            TagHead(width) if isinstance(spans, TagSpans) else PointerHead(width, spans)
        )
        self.relation_head: BiaffineHead | PointerRelationHead = (
            BiaffineHead(width, relations.size)
            if isinstance(relations, BiaffineRelations)
            else PointerRelationHead(width, relations.size)
        )

    def forward(self, ids: Tensor) -> Outputs:
        """Score windows.

        Args:
            ids: (windows, longest + 2), int64: FIRST, the characters, LAST, PAD.
        """
        hidden = self.dropout(self.backbone(ids))[:, 1:-1]
        heads, tails = self.relation_head(hidden)
        return Outputs(self.span_head(hidden), heads, tails)

    def losses(self, outputs: Outputs, batch: Batch) -> Losses:
        """How far the outputs are from the gold of the batch."""
        device = outputs.spans.device
        lengths = torch.tensor(batch.lengths, device=device)
        present = torch.arange(outputs.spans.shape[1], device=device) < lengths[:, None]
        spans = self.span_head.loss(outputs.spans, batch, present)
        relations = self.relation_head.loss(RelationVectors(outputs.heads, outputs.tails), batch)
        return Losses(spans + self.relation_weight * relations, spans, relations)

    @torch.no_grad()
    def read(self, batch: Batch) -> list[tuple[list[Mention], Vectors]]:
        """The mentions of each window, offsets from its start, and what its relations are scored by."""
        device = next(self.parameters()).device
        outputs = self(torch.from_numpy(batch.ids).to(device))
        spans, heads, tails = (tensor.float().cpu().numpy() for tensor in outputs)
        decode = spans_of_tags if isinstance(self.span_head, TagHead) else spans_of_pointers
        found = decode(spans, batch.lengths)
        return [(mentions, Vectors(heads[number], tails[number])) for number, mentions in enumerate(found)]


def hide(ids: Tensor, share: float) -> Tensor:
    """Ids of which a share of the characters is unknown, drawn by torch's generator of the CPU."""
    if share == 0:
        return ids
    drawn = (torch.rand(ids.shape) < share).to(ids.device)
    return ids.masked_fill(drawn & (ids >= SPECIAL), UNKNOWN)
