"""What masked language modelling hides: runs of neighbouring characters, as MacBERT does (arXiv:2004.13922).

One hidden Chinese character is nearly given away by the rest of its word; runs of one to four characters (40, 30,
20 and 10 % of runs) hide words whole without needing a segmenter. Of the runs, 80 % become [MASK], 10 % random
characters, 10 % stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gongkai.model.characters import PAD, SPECIAL

from .tokenizer import MASK

Ids = NDArray[np.int64]

IGNORED = -100
"""Label of a position that is not to be predicted."""

_AS_MASK, _AS_RANDOM = 0.8, 0.9
"""Bounds of a uniform draw: below the first [MASK], below the second a random character, else unchanged."""


class MaskedBatch(NamedTuple):
    """Windows side by side, all [windows, longest]: input ids, labels (IGNORED where not hidden), 1 for a token."""

    ids: Ids
    labels: Ids
    attention: Ids


def mask_batch(
    windows: Sequence[NDArray[np.integer]],
    *,
    vocabulary: int,
    share: float,
    runs: tuple[float, ...],
    rng: np.random.Generator,
) -> MaskedBatch:
    """Hide `share` of each window's ids (at least one) and pad.

    Args:
        windows: Ids of windows with their first and last special id, as `Characters.encode` gives them.
        vocabulary: Number of ids; random characters are drawn from those of no special token.
        runs: Weights of run lengths 1, 2, …
    """
    width = max(map(len, windows))
    ids = np.full((len(windows), width), PAD, dtype=np.int64)
    labels = np.full_like(ids, IGNORED)
    for row, window in enumerate(windows):
        truth = window.astype(np.int64)
        seen, hidden = _mask(truth, vocabulary, share, runs, rng)
        ids[row, : len(window)] = seen
        labels[row, : len(window)] = np.where(hidden, truth, IGNORED)
    return MaskedBatch(ids, labels, (ids != PAD).astype(np.int64))


def _mask(
    truth: Ids, vocabulary: int, share: float, runs: tuple[float, ...], rng: np.random.Generator
) -> tuple[Ids, NDArray[np.bool_]]:
    seen = truth.copy()
    known = truth >= SPECIAL
    hidden = np.zeros(len(truth), dtype=bool)
    wanted = max(1, round(share * len(truth)))
    weights = np.array(runs) / sum(runs)
    # Each place begins a run at most once, so the loop ends in a window of unknown characters too.
    for start in rng.permutation(len(truth)):
        missing = wanted - int(hidden.sum())
        if missing <= 0:
            break
        length = min(int(rng.choice(len(runs), p=weights)) + 1, missing)
        run = np.arange(start, min(start + length, len(truth)))
        if hidden[run].any() or not known[run].all():
            continue
        hidden[run] = True
        draw = rng.random()
        if draw < _AS_MASK:
            seen[run] = MASK
        elif draw < _AS_RANDOM:
            seen[run] = rng.integers(SPECIAL, vocabulary, len(run))
    return seen, hidden
