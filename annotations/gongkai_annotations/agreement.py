"""Agreement of two annotations of the same documents: strict F1 of spans and relations, by label.

Strict: a span is the same if label, start and end agree; a relation if its label and both spans do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gongkai.errors import GongkaiError

from .records import Annotated

Span = tuple[str, int, int]
Key = tuple[str, int, int] | tuple[str, Span, Span]
"""A span (label, start, end), or a relation (label, head span, tail span)."""


class Unmatched(GongkaiError):
    """A document is annotated on one side only, or differs."""


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

    def micro(self, *, relations: bool) -> float | None:
        """F1 over all entity labels, or over all relations."""
        return self.f1(*(label for label in self.labels if label.islower() == relations))


def agreement(first: Iterable[Annotated], second: Iterable[Annotated]) -> Counts:
    """Compare two annotations document by document.

    Raises:
        Unmatched: A document of `second` is not in `first`.
    """
    by_id: Mapping[str, Annotated] = {record.id: record for record in first}
    counts = Counts()
    for record in second:
        other = by_id.get(record.id)
        if other is None:
            raise Unmatched(
                f"document {record.id}", "Only one side has it.", "Give the same documents on both sides."
            )
        counts.add(keys(other), keys(record))
    return counts
