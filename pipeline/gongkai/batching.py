"""Work in batches of bounded size, so that memory does not grow with the archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

BATCH_CHARACTERS = 200_000
"""Characters of a batch of documents: enough for windows of one length to fill the model's own batches."""


def batches(items: Iterable[T], size: Callable[[T], int], limit: int) -> Iterator[list[T]]:
    """The items in order, in lists of which only the last item may exceed the limit.

    >>> list(batches([3, 3, 9, 1], size=int, limit=5))
    [[3, 3], [9], [1]]
    """
    batch: list[T] = []
    held = 0
    for item in items:
        batch.append(item)
        held += size(item)
        if held >= limit:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
