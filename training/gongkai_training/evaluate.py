"""Strict scores on dev while a model trains; `gongkai evaluate` gives the full picture, with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gongkai.gold.records import GoldRecord
from gongkai.model.characters import Characters
from gongkai.model.decode import Link, Vectors, relate, stitch
from gongkai.model.scheme import ENTITY_LABELS, RELATION_LABELS
from gongkai.model.windows import by_length
from gongkai.types import Mention

from .batching import batch_of
from .data import DocumentExamples, examples_of

if TYPE_CHECKING:
    from .model import JointModel


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the gold, of the predicted, and of both."""

    gold: int = 0
    predicted: int = 0
    both: int = 0

    def __add__(self, other: Count) -> Count:
        """Counts of two disjoint sets together."""
        return Count(
            gold=self.gold + other.gold,
            predicted=self.predicted + other.predicted,
            both=self.both + other.both,
        )

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 where there is nothing to find and nothing was found."""
        everything = self.gold + self.predicted
        return 2 * self.both / everything if everything else 1.0


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """Counts by label: a span is right with its label, start and end, a relation with its label and both spans."""

    spans: dict[str, Count] = {}
    relations: dict[str, Count] = {}

    def __add__(self, other: Scores) -> Scores:
        """Scores of two disjoint sets of documents together."""
        return Scores(spans=_sums(self.spans, other.spans), relations=_sums(self.relations, other.relations))

    @property
    def span_f1(self) -> float:
        """Micro F1 of spans."""
        return total(self.spans).f1

    @property
    def relation_f1(self) -> float:
        """Micro F1 of relations, on predicted spans."""
        return total(self.relations).f1

    @property
    def f1(self) -> float:
        """Micro F1 of spans and relations together: what a run tries to raise."""
        return (total(self.spans) + total(self.relations)).f1


class Prediction(NamedTuple):
    """What the model finds in a document: mentions in text order, links between them by number."""

    mentions: list[Mention]
    links: list[Link]


def total(counts: dict[str, Count]) -> Count:
    """All labels together."""
    return sum(counts.values(), Count())


def _sums(a: dict[str, Count], b: dict[str, Count]) -> dict[str, Count]:
    return {label: a.get(label, Count()) + b.get(label, Count()) for label in a | b}


def prepare(
    records: Iterable[GoldRecord], characters: Characters, longest: int, overlap: int
) -> list[DocumentExamples]:
    """The windows of documents, once for all epochs."""
    return [examples_of(record, characters, longest, overlap) for record in records]


def predict(model: JointModel, documents: Sequence[DocumentExamples], budget: int) -> Iterator[Prediction]:
    """What the model finds in each document, windows of all of them batched by length."""
    model.eval()
    examples = [example for document in documents for example in document.examples]
    read: dict[int, tuple[list[Mention], Vectors]] = {}
    for numbers in by_length([len(example.ids) for example in examples], budget):
        batch = batch_of([examples[number] for number in numbers])
        read.update(zip(numbers, model.read(batch), strict=True))
    place = 0
    for document in documents:
        own = [read[number] for number in range(place, place + len(document.windows))]
        place += len(document.windows)
        mentions = stitch(document.windows, [found for found, _ in own])
        yield Prediction(mentions, relate(mentions, document.windows, [vectors for _, vectors in own]))


def score(records: Iterable[GoldRecord], predictions: Iterable[Prediction]) -> Scores:
    """Compare predictions with the gold of the same documents, by sets."""
    spans = _Tally()
    relations = _Tally()
    for record, (mentions, links) in zip(records, predictions, strict=True):
        place = {entity.id: (entity.label, entity.start, entity.end) for entity in record.entities}
        found = [(mention.label, mention.start, mention.end) for mention in mentions]
        spans.add(set(place.values()), set(found))
        relations.add(
            {(r.label, place[r.head], place[r.tail]) for r in record.relations},
            {(link.label, found[link.head], found[link.tail]) for link in links},
        )
    return Scores(spans=spans.counts(ENTITY_LABELS), relations=relations.counts(RELATION_LABELS))


class _Tally:
    """Counts items by label, their first part."""

    def __init__(self) -> None:
        self.gold: Counter[str] = Counter()
        self.predicted: Counter[str] = Counter()
        self.both: Counter[str] = Counter()

    def add(self, gold: Set[tuple[Any, ...]], predicted: Set[tuple[Any, ...]]) -> None:
        self.gold.update(item[0] for item in gold)
        self.predicted.update(item[0] for item in predicted)
        self.both.update(item[0] for item in gold & predicted)

    def counts(self, labels: Iterable[str]) -> dict[str, Count]:
        return {
            label: Count(gold=self.gold[label], predicted=self.predicted[label], both=self.both[label])
            for label in labels
        }
