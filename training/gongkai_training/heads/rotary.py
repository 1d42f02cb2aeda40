"""Rotary positions: two vectors' dot product then depends on how far apart they stand (Su et al. 2021)."""

from __future__ import annotations

import torch
from torch import Tensor

_BASE = 10_000.0


def rotate(vectors: Tensor, places: Tensor | None = None) -> Tensor:
    """Turn each vector by its position (https://arxiv.org/abs/2104.09864).

    Args:
        vectors: (windows, characters, ..., size), size even.
        places: (characters,): their positions; None for 0, 1, 2 …
    """
    size = vectors.shape[-1]
    steps = _BASE ** (-torch.arange(0, size, 2, device=vectors.device, dtype=torch.float32) / size)
    if places is None:
        places = torch.arange(vectors.shape[1], device=vectors.device)
    angles = places[:, None] * steps
    angles = angles.view(angles.shape[0], *(1 for _ in vectors.shape[2:-1]), size // 2)
    first, second = vectors.float().chunk(2, -1)
    cosine, sine = angles.cos(), angles.sin()
    return torch.cat((first * cosine - second * sine, first * sine + second * cosine), -1)
