"""Balls around records: the nearest-neighbour geometry behind precision, recall, density and coverage."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from synthspec.metrics.request import Array

_ROWS = 1024


def radii(x: Array, k: int) -> Array:
    """Distance of each of (n, d) to its `k`-th nearest *other* record; n > k. A duplicate is another record."""
    return np.concatenate([np.partition(row, k, axis=1)[:, k] for row in _rows(x, x)])


def hits(points: Array, centres: Array, reach: Array) -> NDArray[np.intp]:
    """How many of the closed balls (`centres`, `reach`) hold each of `points`: shape (len(points),)."""
    return np.concatenate([(row <= reach).sum(axis=1) for row in _rows(points, centres)])


def nearest(points: Array, others: Array) -> Array:
    """Distance of each of `points` to the nearest of `others`: shape (len(points),)."""
    return np.concatenate([row.min(axis=1) for row in _rows(points, others)])


def _rows(x: Array, y: Array) -> Iterator[Array]:
    """Blocks of rows of the distance matrix, so that memory stays bounded."""
    for start in range(0, len(x), _ROWS):
        yield cdist(x[start : start + _ROWS], y)
