"""What is hidden."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gongkai.model.characters import FIRST, LAST, PAD, SPECIAL, UNKNOWN
from gongkai_training.encoder.masking import IGNORED, mask_batch
from gongkai_training.encoder.tokenizer import MASK

RUNS = (0.4, 0.3, 0.2, 0.1)


def _window(ids: list[int]) -> np.ndarray:
    return np.array([FIRST, *ids, LAST], dtype=np.int32)


@given(
    st.lists(st.lists(st.integers(SPECIAL, 50), min_size=1, max_size=80), min_size=1, max_size=4),
    st.integers(0, 2**32),
)
def test_only_characters_are_hidden_and_labels_are_the_truth(windows: list[list[int]], seed: int) -> None:
    truth = [_window(ids) for ids in windows]
    batch = mask_batch(truth, vocabulary=51, share=0.15, runs=RUNS, rng=np.random.default_rng(seed))
    for row, window in enumerate(truth):
        ids, labels = batch.ids[row], batch.labels[row]
        hidden = labels != IGNORED
        padding = np.arange(len(ids)) >= len(window)
        assert hidden.sum() == max(1, round(0.15 * len(window)))
        assert not hidden[[0, len(window) - 1]].any()
        assert (labels[hidden] == window[hidden[: len(window)]]).all()
        assert (ids[~hidden & ~padding] == window[~hidden[: len(window)]]).all()
        assert (ids[padding] == PAD).all()
        assert (batch.attention[row] == ~padding).all()
        assert ((ids[hidden] == MASK) | (ids[hidden] >= SPECIAL)).all()


def test_unknown_characters_are_never_hidden() -> None:
    window = _window([UNKNOWN] * 50)
    batch = mask_batch([window], vocabulary=51, share=0.15, runs=RUNS, rng=np.random.default_rng(1))
    assert (batch.labels == IGNORED).all()
    assert (batch.ids[0] == window).all()


def test_eight_in_ten_become_the_mask_and_half_of_the_rest_stay() -> None:
    windows = [_window([7] * 200) for _ in range(100)]
    batch = mask_batch(windows, vocabulary=10_000, share=0.15, runs=RUNS, rng=np.random.default_rng(1))
    hidden = batch.ids[batch.labels != IGNORED]
    assert 0.77 < (hidden == MASK).mean() < 0.83
    assert 0.08 < (hidden == 7).mean() < 0.12


def test_runs_are_of_the_lengths_asked_for() -> None:
    windows = [_window([7] * 250)]
    batch = mask_batch(windows, vocabulary=51, share=0.16, runs=(0, 0, 0, 1), rng=np.random.default_rng(3))
    hidden = (batch.labels[0] != IGNORED).astype(int)
    edges = np.flatnonzero(np.diff(hidden))
    lengths = edges[1::2] - edges[::2]
    assert hidden.sum() == 40
    # Two runs may touch, and the last one at the window's end may be shorter.
    assert sum(length % 4 == 0 for length in lengths) >= len(lengths) - 1
