"""ACF: how far the autocorrelation of synthetic series lies from that of real ones (App D, time and events)."""

from __future__ import annotations

import numpy as np

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import details
from synthspec.metrics.request import Array
from synthspec.metrics.resampling import resampled

ESTIMATOR = "root mean square over channels and lags of the difference of pooled autocorrelations"
_LAGS = 64


def measure(bench: Bench) -> Figure:
    """The root mean square difference of the autocorrelations at lags 1 to half a window (at most 64).

    Each is pooled over the windows, around the mean of its channel over all of them: the level that a whole window
    keeps is correlation too.
    """
    x, y = bench.windows(bench.reference), bench.windows("synthetic")
    lags = min(_LAGS, x.shape[2] // 2)
    bare = Figure(
        name="ACF",
        label=f"ACF[rms of {lags} lags, {x.shape[1]} channels]",
        value=None,
        details=details(lags=lags, channels=x.shape[1], length=x.shape[2]),
    )
    return resampled(bench, bare, x, y, lambda a, b: distance(a, b, lags))


def distance(x: Array, y: Array, lags: int) -> float:
    """``sqrt(mean_k (rho_x(k) - rho_y(k))^2)`` over channels and lags 1..`lags` of windows (n, channels, length)."""
    return float(np.sqrt(np.square(autocorrelation(x, lags) - autocorrelation(y, lags)).mean()))


def autocorrelation(x: Array, lags: int) -> Array:
    """rho(k) of each channel at lags 1..`lags`: shape (channels, lags). A channel that never varies has none: 0."""
    centred = x - x.mean(axis=(0, 2), keepdims=True)
    length = x.shape[2]
    power = np.square(centred).mean(axis=(0, 2))
    moments = [(centred[:, :, : length - k] * centred[:, :, k:]).mean(axis=(0, 2)) for k in range(1, lags + 1)]
    return np.asarray((np.array(moments) / np.where(power > 0, power, 1.0)).T)
