"""A classifier of synthetic against reference records, read as a density ratio (LOGAN, Hayes et al. 2019, black-box).

Logistic regression on random Fourier features (Rahimi and Recht 2007) of the whitened space: it follows a law as finely as
its kernel is wide, where a linear one would see means alone. Nothing is tuned; features are the same for every run.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import pdist
from scipy.special import expit

from synthspec.metrics.membership.whitening import TINY, whitening
from synthspec.metrics.request import Array
from synthspec.metrics.stream import stream

_FEATURES, _RIDGE, _STEPS, _SCALE, _SETTLED = 256, 0.1, 12, 300, 1e-8


def log_odds(candidates: Array, synthetic: Array, reference: Array) -> Array:
    """Log odds of each candidate to be synthetic rather than a reference record, both sides weighted alike: shape (n,)."""
    project = whitening(np.concatenate([synthetic, reference]))
    ones, zeros = project(synthetic), project(reference)
    lift = _features(np.concatenate([ones[:_SCALE], zeros[:_SCALE]]))
    x = np.concatenate([lift(ones), lift(zeros)])
    y = np.repeat([1.0, 0.0], [len(ones), len(zeros)])
    weight = np.repeat([0.5 / len(ones), 0.5 / len(zeros)], [len(ones), len(zeros)]) * len(x)
    return np.asarray(lift(project(candidates)) @ _fitted(x, y, weight))


def _features(some: Array) -> Callable[[Array], Array]:
    """Cosines along random directions, as wide as half the median distance of `some` records, and a constant."""
    rng = stream(0, "MI/logan")
    apart = float(np.median(pdist(some))) if len(some) > 1 else 1.0
    directions = rng.standard_normal((some.shape[1], _FEATURES)) * (2.0 / max(apart, TINY))
    phases = rng.uniform(0.0, 2.0 * np.pi, _FEATURES)

    def lift(rows: Array) -> Array:
        waves = np.cos(rows @ directions + phases) * np.sqrt(2.0 / _FEATURES)
        return np.concatenate([waves, np.ones((len(rows), 1))], axis=1)

    return lift


def _fitted(x: Array, y: Array, weight: Array) -> Array:
    """Newton's method on the ridge-penalised likelihood, which is convex."""
    beta = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        p = expit(x @ beta)
        slope = x.T @ (weight * (y - p)) - _RIDGE * beta
        curve = (x.T * (weight * p * (1.0 - p))) @ x
        curve[np.diag_indices_from(curve)] += _RIDGE
        step = np.linalg.solve(curve, slope)
        beta += step
        if float(np.abs(step).max()) < _SETTLED:
            break
    return beta
