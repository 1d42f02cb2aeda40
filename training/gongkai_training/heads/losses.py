"""The loss of picking any number of classes out of many, most of which are wrong."""

from __future__ import annotations

import torch
from torch import Tensor

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
    negative = (present & ~positive).logical_not()
    above = _log1p_sum_exp(scores.masked_fill(negative, _NEVER))
    below = _log1p_sum_exp((-scores).masked_fill(~(positive & present), _NEVER))
    return above + below


def _log1p_sum_exp(scores: Tensor) -> Tensor:
    return torch.logsumexp(torch.nn.functional.pad(scores, (0, 1)), -1)
