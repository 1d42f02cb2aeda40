"""Agreement of annotations of the same documents: strict F1 of spans and relations, by label.

Strict: a span is the same if label, start and end agree; a relation if its label and both spans do. Two
annotators stand side by side here; a system against gold is for `gongkai.evaluate`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeVar

from gongkai.errors import Unpaired
from gongkai.gold.records import Annotated, GoldRecord, StandoffRecord

A = TypeVar("A", bound=Annotated)
Span = tuple[str, int, int]
Key = tuple[str, int, int] | tuple[str, Span, Span]
"""A span (label, start, end), or a relation (label, head span, tail span)."""


def keys(record: Annotated) -> set[Key]:
    """Every span and relation of a record, as what it says rather than by its ids."""
    spans: dict[str, Span] = {e.id: (e.label, e.start, e.end) for e in record.entities}
    return {*spans.values(), *((r.label, spans[r.head], spans[r.tail]) for r in record.relations)}


@dataclass
class Counts:
    """What both sides say, what only the first (gold) and only the second (prediction) says, by label."""

    both: Counter[str] = field(default_factory=Counter)
    first_only: Counter[str] = field(default_factory=Counter)
    second_only: Counter[str] = field(default_factory=Counter)

    def add(self, first: set[Key], second: set[Key]) -> None:
        """Count one document."""
        self.both.update(key[0] for key in first & second)
        self.first_only.update(key[0] for key in first - second)
        self.second_only.update(key[0] for key in second - first)

    @property
    def labels(self) -> list[str]:
        """Entity labels, then relations."""
        return sorted(self.both | self.first_only | self.second_only, key=lambda name: (name.islower(), name))

    def f1(self, *labels: str) -> float | None:
        """F1 over the labels together; None where neither side has any."""
        both = sum(self.both[label] for label in labels)
        apart = sum(self.first_only[label] + self.second_only[label] for label in labels)
        return 2 * both / (2 * both + apart) if both + apart else None

    def precision(self, label: str) -> float | None:
        """Share of the second side's that the first has too; None where the second has none."""
        said = self.both[label] + self.second_only[label]
        return self.both[label] / said if said else None

    def recall(self, label: str) -> float | None:
        """Share of the first side's that the second has too; None where the first has none."""
        said = self.both[label] + self.first_only[label]
        return self.both[label] / said if said else None

    def micro(self, *, relations: bool) -> float | None:
        """F1 over all entity labels, or over all relations."""
        return self.f1(*(label for label in self.labels if label.islower() == relations))


def agreement(first: Iterable[Annotated], second: Iterable[Annotated]) -> Counts:
    """Compare two annotations document by document; documents of `first` that `second` lacks are left out.

    Raises:
        Unpaired: A document of `second` is not in `first`, or has another text there.
    """
    by_id: Mapping[str, Annotated] = {record.id: record for record in first}
    counts = Counts()
    for record in second:
        counts.add(keys(_same_document(by_id, record)), keys(record))
    return counts


def pairwise_agreement(documents: Iterable[Mapping[str, Annotated]]) -> Counts:
    """Counts over every pair of annotators of every document, together.

    Args:
        documents: For each document, annotator → annotation.
    """
    counts = Counts()
    for by_name in documents:
        for one, other in combinations(by_name.values(), 2):
            counts.add(keys(one), keys(other))
    return counts


def matched(first: Iterable[A], others: Mapping[str, Iterable[A]]) -> Iterator[dict[str, A]]:
    """For each document that one of `others` has: annotator → annotation, the first as `first`.

    Raises:
        Unpaired: A document of the others is not in `first`, or has another text there.
    """
    by_id: dict[str, A] = {record.id: record for record in first}
    documents: dict[str, dict[str, A]] = {}
    for name, records in others.items():
        for record in records:
            own = _same_document(by_id, record)
            documents.setdefault(record.id, {"first": own})[name] = record
    yield from documents.values()


def by_annotator(records: Iterable[GoldRecord]) -> Iterator[dict[str, GoldRecord]]:
    """For each document with two annotators or more: `meta.annotator` → annotation, annotators in order.

    This is what `gongkai annotate pull` writes: a record for each document and annotator.

    Raises:
        Unpaired: Two annotators had different texts under one id.
    """
    documents: dict[str, dict[str, GoldRecord]] = {}
    for record in records:
        by_name = documents.setdefault(record.id, {})
        if by_name:
            _same_document({record.id: next(iter(by_name.values()))}, record)
        by_name[str(record.meta.get("annotator", ""))] = record
    for by_name in documents.values():
        if len(by_name) > 1:
            yield dict(sorted(by_name.items()))


def labels_in(documents: Sequence[Mapping[str, Annotated]]) -> list[str]:
    """The entity labels that any annotator used, in order."""
    return sorted({e.label for by_name in documents for a in by_name.values() for e in a.entities})


def _same_document(by_id: Mapping[str, A], record: A) -> A:
    other = by_id.get(record.id)
    if other is None:
        raise Unpaired(
            f"document {record.id}", "Only one side has it.", "Give the same documents on both sides."
        )
    if _digest(other) != _digest(record):
        raise Unpaired(
            f"document {record.id}", "Its texts differ.", "Annotate the same text, or give it another id."
        )
    return other


def _digest(record: Annotated) -> str | None:
    return record.sha256 if isinstance(record, GoldRecord | StandoffRecord) else None
