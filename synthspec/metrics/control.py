"""The control arm: what any generator must beat to be worth its training."""

from __future__ import annotations

import math

import numpy as np

from synthspec.metrics.request import Array
from synthspec.metrics.stream import subset

_MOST = 5000


def gaussian_control(train: Array, n: int, rng: np.random.Generator) -> Array:
    """`n` draws from the Gaussian with mean and covariance of `train`, shape (n, ...), not clipped to any range.

    A draw is ``mean + Z^T (x - mean) / sqrt(N - 1)`` with Z ~ N(0, I_N), which has exactly the sample covariance and
    never forms it. At most 5000 training records are used.
    """
    chosen = train[subset(len(train), _MOST, rng)]
    flat = chosen.reshape(len(chosen), -1)
    mean = flat.mean(axis=0)
    weights = rng.standard_normal((n, len(flat))) / math.sqrt(max(len(flat) - 1, 1))
    return np.asarray(mean + weights @ (flat - mean)).reshape(n, *train.shape[1:])
