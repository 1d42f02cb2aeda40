"""Examples in batches of like length, padded to arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gongkai.model.characters import PAD

from .data import Example


class Batch(NamedTuple):
    """Examples side by side.

    Attributes:
        ids: (windows, longest + 2), int64, padded with PAD.
        examples: Whose they are.
    """

    ids: NDArray[np.int64]
    examples: tuple[Example, ...]

    @property
    def lengths(self) -> list[int]:
        """Characters of each window."""
        return [len(example.ids) - 2 for example in self.examples]


def batch_of(examples: Sequence[Example]) -> Batch:
    """Pad examples to the longest of them."""
    ids = np.full((len(examples), max(len(example.ids) for example in examples)), PAD, np.int64)
    for row, example in zip(ids, examples, strict=True):
        row[: len(example.ids)] = example.ids
    return Batch(ids, tuple(examples))


def by_length(lengths: Sequence[int], budget: int, rng: np.random.Generator | None = None) -> list[list[int]]:
    """Numbers of the examples, in batches of like length whose padded size is within `budget`.

    Args:
        lengths: Of the examples, in ids; one that is longer than `budget` is a batch of its own.
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


def batches(
    examples: Sequence[Example], budget: int, rng: np.random.Generator | None = None
) -> Iterator[Batch]:
    """The examples in batches (see `by_length`)."""
    for numbers in by_length([len(example.ids) for example in examples], budget, rng):
        yield batch_of([examples[number] for number in numbers])
