"""The loss of picking any number of classes out of many, most of which are wrong."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_NEVER = -1e4


def multilabel(scores: Tensor, right: Tensor, present: Tensor) -> Tensor:
    """Every right class above 0 and every wrong one below, as far apart as softmax would have them.

    log(1 + Σ (1 − t) e^s) + log(1 + Σ t e^−s), t being the probability that a class is right: the threshold-at-zero
    multi-label loss of Su et al. 2022 (https://arxiv.org/abs/2208.02955), which many wrong classes do not drown, with
    targets that may be soft. Alone, a class of probability t scores best at ½ log(t / (1 − t)).

    Args:
        scores: (..., classes), any floating type; summed in float32.
        right: (..., classes), float32: probability of each to be right, 0 for most.
        present: (..., classes), bool: those that are classes at all.

    Returns:
        (...), float32.
    """
    classes = scores.shape[-1]
    flat = scores.float().reshape(-1, classes)
    chances = right.masked_fill(~present, 0).reshape(-1, classes)
    # The right classes are few: only they are touched.
    rows = chances.nonzero(as_tuple=True)
    own, chance = flat[rows], chances[rows]
    wrong = flat.masked_fill(~present.reshape(-1, classes), _NEVER)
    wrong = wrong.index_put(rows, own + (-chance).log1p().clamp(min=_NEVER))
    above = functional.softplus(torch.logsumexp(wrong, -1))
    return (above + _below(chance.log() - own, rows[0], len(flat))).view(scores.shape[:-1])


def _below(exponents: Tensor, rows: Tensor, count: int) -> Tensor:
    """(count,): log(1 + Σ e^exponent) of the exponents of each row."""
    # The greatest of each row, 0 being that of the 1, keeps the sum in range.
    greatest = exponents.new_zeros(count).scatter_reduce(0, rows, exponents.detach(), "amax")
    sums = (-greatest).exp().index_add(0, rows, (exponents - greatest[rows]).exp())
    return greatest + sums.log()
