"""The few directions that attacks by densities look along."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from synthspec.metrics.request import Array

TINY = 1e-12
DIMENSIONS = 8


def whitening(x: Array) -> Callable[[Array], Array]:
    """The projection on the leading principal axes of `x` (n, D), at most eight, each scaled to unit variance."""
    mean = x.mean(axis=0)
    _, s, axes = np.linalg.svd(x - mean, full_matrices=False)
    keep = min(DIMENSIONS, int((s > 1e-9 * max(float(s[0]), TINY)).sum()))
    basis = axes[:keep].T / s[:keep] * np.sqrt(len(x))

    def project(rows: Array) -> Array:
        return np.asarray((rows - mean) @ basis)

    return project
