"""The loss of picking any number of classes out of many, most of which are wrong."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_NEVER = -1e4


def multilabel(scores: Tensor, positive: Tensor, present: Tensor) -> Tensor:
    """Every positive above 0 and every negative below, as far apart as softmax would have them.

    log(1 + Σ_negative e^s) + log(1 + Σ_positive e^−s): the threshold-at-zero multi-label loss of Su et al. 2022
    (https://arxiv.org/abs/2208.02955), which many negatives do not drown.

    Args:
        scores: (..., classes), any floating type; summed in float32.
        positive, present: (..., classes), bool: the right ones; those that are classes at all.

    Returns:
        (...), float32.
    """
    scores = scores.float()
    right = positive & present
    above = functional.softplus(torch.logsumexp(scores.masked_fill(right | ~present, _NEVER), -1))
    return above + _below(scores, right)


def _below(scores: Tensor, right: Tensor) -> Tensor:
    """log(1 + Σ e^−s) over the right classes, which are few: only they are touched."""
    classes = right.shape[-1]
    rows = right.reshape(-1, classes).nonzero(as_tuple=True)
    values = -scores.reshape(-1, classes)[rows]
    # The greatest exponent of each row, 0 being that of the 1, keeps the sum in range.
    greatest = scores.new_zeros(right[..., 0].numel())
    greatest = greatest.scatter_reduce(0, rows[0], values.detach(), "amax")
    sums = (-greatest).exp().index_add(0, rows[0], (values - greatest[rows[0]]).exp())
    return (greatest + sums.log()).view(right.shape[:-1])
