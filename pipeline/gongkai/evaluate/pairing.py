"""Which spans of two lists share characters."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gongkai.spans import Extent


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
