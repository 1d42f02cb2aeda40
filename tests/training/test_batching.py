"""Batches: everything once, like lengths together, within the budget, padded."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gongkai.model.windows import by_length
from gongkai_training.batching import batch_of
from gongkai_training.data import Example


@given(st.lists(st.integers(3, 60), max_size=30), st.integers(1, 200), st.integers(0, 99) | st.none())
def test_by_length(lengths: list[int], budget: int, seed: int | None) -> None:
    rng = None if seed is None else np.random.default_rng(seed)
    found = by_length(lengths, budget, rng)
    assert sorted(number for batch in found for number in batch) == list(range(len(lengths)))
    for batch in found:
        longest = max(lengths[number] for number in batch)
        assert len(batch) == 1 or len(batch) * longest <= budget
    # Like lengths: the batches' ranges do not reach into each other.
    ranges = sorted((min(lengths[n] for n in batch), max(lengths[n] for n in batch)) for batch in found)
    assert all(a[1] <= b[0] for a, b in pairwise(ranges))


def test_padding() -> None:
    examples = [Example(np.array(ids, np.int32), (), ()) for ids in ([2, 5, 6, 3], [2, 7, 3])]
    batch = batch_of(examples)
    assert batch.ids.tolist() == [[2, 5, 6, 3], [2, 7, 3, 0]]
    assert batch.lengths == [2, 1]
