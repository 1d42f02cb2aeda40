"""Span arithmetic on half-open [start, end) code-point intervals. Nobody writes the inequality again."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar


class Extent(Protocol):
    """Anything with a start and an end."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


E = TypeVar("E", bound=Extent)


def drop_overlapping(spans: Iterable[E]) -> list[E]:
    """Disjoint spans in text order: of two that overlap the longer stays, on a tie the earlier."""
    kept: list[E] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
        elif span.end - span.start > kept[-1].end - kept[-1].start:
            kept[-1] = span
    return kept


class IntervalIndex:
    """Which of a list of disjoint, sorted spans holds a position.

    Args:
        spans: (start, end) pairs, sorted, not overlapping.
    """

    def __init__(self, spans: Sequence[tuple[int, int]]) -> None:
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]

    def find(self, position: int) -> int | None:
        """Number of the span that holds `position`, or None."""
        index = bisect_right(self._starts, position) - 1
        if index < 0 or position >= self._ends[index]:
            return None
        return index

    def overlaps(self, start: int, end: int) -> bool:
        """Whether any span shares a character with [start, end)."""
        index = bisect_right(self._starts, end - 1) - 1
        return index >= 0 and self._ends[index] > start


class Overlap(NamedTuple):
    """Places of two spans in their lists, and how many characters they share (at least one)."""

    first: int
    second: int
    shared: int


def shared(first: Extent, second: Extent) -> int:
    """How many characters two spans share."""
    return max(0, min(first.end, second.end) - max(first.start, second.start))


def overlapping(first: Sequence[Extent], second: Sequence[Extent]) -> Iterator[Overlap]:
    """Every pair that shares a character, in any order; the spans of a list may overlap each other.

    A sweep: its time grows with the number of spans (sorted) and of pairs.
    """
    order = sorted(range(len(second)), key=lambda place: second[place].start)
    starts = [second[place].start for place in order]
    reaching: list[int] = []  # begun no later than the current span, and not yet ended
    begun = 0
    for place in sorted(range(len(first)), key=lambda place: first[place].start):
        span = first[place]
        now = bisect_right(starts, span.start)
        reaching = [other for other in (*reaching, *order[begun:now]) if second[other].end > span.start]
        begun = now
        for other in (*reaching, *order[now : bisect_left(starts, span.end)]):
            if common := shared(span, second[other]):
                yield Overlap(place, other, common)
