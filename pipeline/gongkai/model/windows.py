"""A document cut into windows that the model reads one at a time, and which window answers for which characters.

Whole paragraphs are packed together, so that a number sees its total of the sentence before and a cell of a
flattened table its row. A paragraph longer than a window is read through windows that overlap.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np


class Window(NamedTuple):
    """The code points [start, end) of a document."""

    start: int
    end: int


def cut(
    paragraphs: Sequence[tuple[int, int]],
    longest: int,
    *,
    overlap: int = 0,
    left_out: Sequence[tuple[int, int]] = (),
) -> tuple[Window, ...]:
    """Windows that together hold every paragraph; starts and ends both rise from one to the next.

    Args:
        paragraphs: (start, end), sorted, disjoint, not empty.
        longest: Characters of a window at most.
        overlap: Characters that windows share with the one before: of packed paragraphs at most so many, in whole
            paragraphs; of a paragraph longer than a window at least so many, and at least a quarter of it.
        left_out: (start, end), sorted, disjoint: what no window may hold (boilerplate).

    >>> cut([(0, 5), (6, 9), (10, 18)], 10)
    (Window(start=0, end=9), Window(start=10, end=18))
    >>> cut([(0, 20)], 12)
    (Window(start=0, end=12), Window(start=8, end=20))
    """
    return tuple(
        window
        for run in _runs(paragraphs, longest, left_out)
        for window in (
            _packed(run, longest, overlap)
            if run[0][1] - run[0][0] <= longest
            else _slices(*run[0], longest, overlap)
        )
    )


def _runs(
    paragraphs: Sequence[tuple[int, int]], longest: int, left_out: Sequence[tuple[int, int]]
) -> Iterator[list[tuple[int, int]]]:
    """Paragraphs that may share a window: nothing left out between them; one longer than a window is alone."""
    starts = [start for start, _ in left_out]
    run: list[tuple[int, int]] = []
    for start, end in paragraphs:
        apart = run and bisect_left(starts, run[-1][1]) < bisect_left(starts, start)
        long = end - start > longest
        if run and (apart or long):
            yield run
            run = []
        run.append((start, end))
        if long:
            yield run
            run = []
    if run:
        yield run


def _packed(run: Sequence[tuple[int, int]], longest: int, overlap: int) -> Iterator[Window]:
    fresh = 0
    while fresh < len(run):
        first = fresh
        while first > 0 and run[fresh][0] - run[first - 1][0] <= overlap:
            first -= 1
        while run[fresh][1] - run[first][0] > longest:
            first += 1
        last = fresh
        while last + 1 < len(run) and run[last + 1][1] - run[first][0] <= longest:
            last += 1
        yield Window(run[first][0], run[last][1])
        fresh = last + 1


def _slices(start: int, end: int, longest: int, overlap: int) -> Iterator[Window]:
    stride = longest - min(max(overlap, longest // 4), longest - 1)
    place = start
    while place + longest < end:
        yield Window(place, place + longest)
        place += stride
    yield Window(end - longest, end)


def by_length(lengths: Sequence[int], budget: int, rng: np.random.Generator | None = None) -> list[list[int]]:
    """Numbers of windows, in batches of like length whose padded size is within `budget`.

    Args:
        lengths: Of the windows, in ids; one that is longer than `budget` is a batch of its own.
        rng: Draws which of like length come together, and the order of the batches; None for the longest first.

    >>> by_length([3, 9, 4, 8], 18)
    [[1, 3], [2, 0]]
    """
    order = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    order = order[np.argsort(-np.asarray(lengths)[order], kind="stable")]
    found: list[list[int]] = []
    for number in order.tolist():
        # The first of a batch is its longest.
        if not found or (len(found[-1]) + 1) * lengths[found[-1][0]] > budget:
            found.append([])
        found[-1].append(number)
    return found if rng is None else [found[i] for i in rng.permutation(len(found))]


class Owners:
    """Which window answers for a stretch of text: of those that hold it whole, the one in whose middle it is.

    Args:
        windows: As `cut` gives them.
    """

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = windows
        self._starts = [window.start for window in windows]
        self._ends = [window.end for window in windows]

    def of(self, start: int, end: int) -> int | None:
        """Number of the window, the earlier of two alike; None if no window holds [start, end).

        >>> owners = Owners([Window(0, 12), Window(8, 20)])
        >>> owners.of(8, 10), owners.of(10, 12), owners.of(7, 13)
        (0, 1, None)
        """
        first = bisect_left(self._ends, end)
        last = bisect_right(self._starts, start)
        if last - first <= 1:
            return first if first < last else None
        return max(range(first, last), key=lambda number: self._room(number, start, end))

    def _room(self, number: int, start: int, end: int) -> int:
        """Characters of context on the side where the window shows fewer."""
        window = self._windows[number]
        return min(start - window.start, window.end - end)
