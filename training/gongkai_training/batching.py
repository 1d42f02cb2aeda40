"""Examples in batches of like length, padded to arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gongkai.model.characters import PAD
from gongkai.model.windows import by_length

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


def batches(
    examples: Sequence[Example], budget: int, rng: np.random.Generator | None = None
) -> Iterator[Batch]:
    """The examples in batches (see `by_length`)."""
    for numbers in by_length([len(example.ids) for example in examples], budget, rng):
        yield batch_of([examples[number] for number in numbers])
