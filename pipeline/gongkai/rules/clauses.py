"""Sentences as the relations of numbers see them: with their numbers and periods."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gongkai.types import Entity


class Clause(NamedTuple):
    """A sentence with its numbers and periods, in text order.

    Attributes:
        place: Its index among the document's clauses.
        paragraph: Its paragraph's index among the document's paragraphs.
    """

    place: int
    start: int
    end: int
    paragraph: int
    numbers: tuple[Entity, ...]
    periods: tuple[Entity, ...]


def read_clauses(
    entities: Sequence[Entity], sentences: Sequence[tuple[int, int]], paragraphs: Sequence[tuple[int, int]]
) -> list[Clause]:
    """Sentences that hold a number, with their numbers and the periods outside policy names."""
    policies = [(e.start, e.end) for e in entities if e.label == "POLICY"]
    numbers = [e for e in entities if e.label in ("COUNT", "PERCENT")]
    periods = [e for e in entities if e.label == "PERIOD" and not _inside(e, policies)]
    number_starts = [e.start for e in numbers]
    period_starts = [e.start for e in periods]
    paragraph_starts = [start for start, _ in paragraphs]
    clauses = []
    for place, (start, end) in enumerate(_holding(sentences, number_starts)):
        own = numbers[bisect_left(number_starts, start) : bisect_left(number_starts, end)]
        times = periods[bisect_left(period_starts, start) : bisect_left(period_starts, end)]
        paragraph = bisect_right(paragraph_starts, own[0].start) - 1
        clauses.append(Clause(place, start, end, paragraph, tuple(own), tuple(times)))
    return clauses


def _holding(sentences: Sequence[tuple[int, int]], positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    for start, end in sentences:
        place = bisect_left(positions, start)
        if place < len(positions) and positions[place] < end:
            yield start, end


def _inside(entity: Entity, spans: Sequence[tuple[int, int]]) -> bool:
    place = bisect_right(spans, (entity.start, float("inf"))) - 1
    return place >= 0 and entity.end <= spans[place][1]
