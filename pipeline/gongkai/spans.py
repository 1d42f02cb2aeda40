"""Span arithmetic on half-open [start, end) code-point intervals. Nobody writes the inequality again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar


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
