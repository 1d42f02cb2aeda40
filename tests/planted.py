"""A model that knows some documents by heart: it finds there what was planted, and in any other text nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gongkai.model.decode import Link
from gongkai.model.runtime import DocumentText, Reading
from gongkai.text import fold
from gongkai.types import Mention, Record


def mentions_of(
    record: Record, scores: Mapping[str, float] | None = None, by: str = "model"
) -> list[Mention]:
    """Its entities as mentions in text order, each as sure as `scores` says of its id (1)."""
    found = [Mention(e.label, e.start, e.end, by, (scores or {}).get(e.id, 1.0)) for e in record.entities]
    return sorted(found, key=lambda mention: (mention.start, -mention.end))


class PlantedReader:
    """Stands in for a trained model.

    Args:
        records: What is to be found; a relation is as sure as its score.
        scores: Entity id → how sure the model is of it, in all records.

    Attributes:
        batches: How many documents it was given at once, each time.
    """

    def __init__(self, *records: Record, scores: Mapping[str, float] | None = None) -> None:
        self._records = {fold(record.text): record for record in records}
        self._scores = scores
        self.batches: list[int] = []

    def read(self, documents: Sequence[DocumentText]) -> list[Reading]:
        self.batches.append(len(documents))
        return [self._read(document) for document in documents]

    def relate(
        self, documents: Sequence[DocumentText], mentions: Sequence[Sequence[Mention]]
    ) -> list[list[Link]]:
        return [self._links(*each) for each in zip(documents, mentions, strict=True)]

    def _read(self, document: DocumentText) -> Reading:
        record = self._records.get(document.view)
        mentions = [] if record is None else mentions_of(record, self._scores)
        return Reading(mentions, self._links(document, mentions))

    def _links(self, document: DocumentText, mentions: Sequence[Mention]) -> list[Link]:
        record = self._records.get(document.view)
        if record is None:
            return []
        number_at = {mention[:3]: number for number, mention in enumerate(mentions)}
        number_of = {e.id: number_at.get((e.label, e.start, e.end)) for e in record.entities}
        ends = [(r, number_of[r.head], number_of[r.tail]) for r in record.relations]
        return [Link(r.label, h, t, r.score) for r, h, t in ends if h is not None and t is not None]
