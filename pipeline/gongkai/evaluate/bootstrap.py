"""Resampling of documents, as they stream by.

The Poisson bootstrap (Hanley & MacGibbon 2006; Chamandy et al. 2012) gives each document a Poisson(1) weight in each
replicate instead of drawing documents with replacement: the sums differ only in how many documents a replicate has,
which ratios do not feel, and no document need be kept. Approximate randomisation (Noreen 1989; Yeh 2000) swaps the two
systems' outputs on each document with probability one half.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from gongkai.evaluate.result import Ratio
from gongkai.evaluate.types import Counts

G = TypeVar("G", bound=Hashable)
K = TypeVar("K", bound=Hashable)
Array = npt.NDArray[np.float64]
Weights = Callable[[np.random.Generator, tuple[int, int]], npt.NDArray[np.float32]]

BATCH = 256
"""Documents weighed at once; only speed depends on it."""
INTERVAL = (2.5, 97.5)
_WIDTH = len(Counts._fields)


def poisson(random: np.random.Generator, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """How often each document is in each replicate of the bootstrap."""
    return random.poisson(1.0, shape).astype(np.float32)


def coin(random: np.random.Generator, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Whether each document is swapped in each replicate of approximate randomisation."""
    return random.integers(0, 2, shape, dtype=np.int8).astype(np.float32)


class Resampler(Generic[G, K]):
    """Sums of documents' counts by group, plain and over weighted replicates, for any number of documents.

    Memory grows with groups, keys and replicates only.

    Args:
        resamples: Number of replicates.
        seed: The same seed and the same documents in the same order give the same sums.
        weights: `poisson` or `coin`.
    """

    def __init__(self, resamples: int, seed: int, weights: Weights = poisson) -> None:
        self._random = np.random.default_rng(seed)
        self._resamples = resamples
        self._weights = weights
        self._columns: dict[K, int] = {}
        self._sums: dict[G, Array] = {}
        self._batch: list[tuple[Iterable[G], Mapping[K, Counts]]] = []

    def add(self, groups: Iterable[G], counts: Mapping[K, Counts]) -> None:
        """One more document: the groups that it belongs to and its counts."""
        self._batch.append((groups, counts))
        if len(self._batch) == BATCH:
            self._weigh()

    def keys(self, group: G) -> list[K]:
        """The keys of which the group has any."""
        self._weigh()
        totals = self._padded(group)[0]
        return [key for key, column in self._columns.items() if totals[column].any()]

    def total(self, group: G, *keys: K) -> Counts:
        """Counts of the keys together, in the group."""
        return Counts(*map(float, self._of(group, keys)[0]))

    def sums(self, group: G, *keys: K) -> Array:
        """The same in each replicate: (resamples, 3) of correct, gold, predicted."""
        return self._of(group, keys)[1:]

    def _of(self, group: G, keys: tuple[K, ...]) -> Array:
        self._weigh()
        held = [self._columns[key] for key in keys if key in self._columns]
        return np.asarray(self._padded(group)[:, held].sum(axis=1))

    def _padded(self, group: G) -> Array:
        """The group's sums: (1 + resamples, keys, 3), the first row with every weight 1."""
        sums = self._sums.get(group, np.zeros((self._resamples + 1, 0, _WIDTH)))
        missing = len(self._columns) - sums.shape[1]
        if missing:
            sums = np.pad(sums, ((0, 0), (0, missing), (0, 0)))
        self._sums[group] = sums
        return sums

    def _weigh(self) -> None:
        if not self._batch:
            return
        members: dict[G, list[int]] = {}
        for place, (groups, counts) in enumerate(self._batch):
            for group in groups:
                members.setdefault(group, []).append(place)
            for key in counts:
                self._columns.setdefault(key, len(self._columns))
        values = np.zeros((len(self._batch), len(self._columns), _WIDTH), np.float32)
        for place, (_, counts) in enumerate(self._batch):
            if counts:
                values[place, [self._columns[key] for key in counts]] = list(counts.values())
        # One weight a document and replicate, drawn for each document in turn: batches make no difference.
        drawn = self._weights(self._random, (len(self._batch), self._resamples))
        weights = np.hstack([np.ones((len(self._batch), 1), np.float32), drawn])
        self._batch = []
        for group, places in members.items():
            sums = self._padded(group)
            sums += np.tensordot(weights[places].T, values[places], axes=1)


def precision(sums: Array) -> Array:
    """Of (…, 3) counts; NaN where nothing was predicted."""
    return _ratio(sums[..., 0], sums[..., 2])


def recall(sums: Array) -> Array:
    """Of (…, 3) counts; NaN where gold has none."""
    return _ratio(sums[..., 0], sums[..., 1])


def f1(sums: Array) -> Array:
    """Of (…, 3) counts; NaN where neither side has any."""
    return _ratio(2 * sums[..., 0], sums[..., 1] + sums[..., 2])


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def ratio(value: float | None, replicates: Array) -> Ratio:
    """A value with the interval that its replicates give; those that are not defined are left out."""
    defined = replicates[~np.isnan(replicates)]
    if value is None or not len(defined):
        return Ratio(value=value)
    low, high = np.percentile(defined, INTERVAL)
    return Ratio(value=value, low=float(low), high=float(high))
