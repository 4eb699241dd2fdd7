"""PSD: how far the power spectrum of synthetic series lies from that of real ones (App D, time and events)."""

from __future__ import annotations

import numpy as np

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import details
from synthspec.metrics.request import Array
from synthspec.metrics.resampling import resampled

ESTIMATOR = "root mean square over channels and frequencies of the difference of mean periodograms in dB"
_FLOOR = 1e-12
"""Of the mean real power: what no series of measured values resolves."""


def measure(bench: Bench) -> Figure:
    """The log-spectral distance in dB: 10 log10 of the ratio of the mean periodograms, as a root mean square.

    Windows are taken around the mean of their channel over the real records and tapered (Hann); frequency 0, which the
    taper mixes with the level, is left out.
    """
    x, y = bench.windows(bench.reference), bench.windows("synthetic")
    level = x.mean(axis=(0, 2), keepdims=True)
    power_x, power_y = periodograms(x - level), periodograms(y - level)
    floor = _FLOOR * power_x.mean(axis=(0, 2))[:, None]
    bare = Figure(
        name="PSD",
        label=f"PSD[log-spectral distance, {power_x.shape[2]} frequencies, {x.shape[1]} channels]",
        value=None,
        unit="dB",
        details=details(taper="Hann", frequencies=power_x.shape[2], channels=x.shape[1], length=x.shape[2]),
    )
    return resampled(bench, bare, power_x, power_y, lambda a, b: distance(a, b, floor))


def periodograms(windows: Array) -> Array:
    """``|sum_t h(t) x(t) exp(-i w t)|^2 / sum h^2`` at frequencies 1..length/2 of each window: (n, channels, frequencies)."""
    taper = np.hanning(windows.shape[2] + 2)[1:-1]
    return np.asarray(np.square(np.abs(np.fft.rfft(windows * taper)[:, :, 1:])) / np.square(taper).sum())


def distance(x: Array, y: Array, floor: Array) -> float:
    """The distance in dB of the means of periodograms (n, channels, frequencies), each at least `floor` (channels, 1)."""
    tiny = np.maximum(floor, np.finfo(float).tiny)
    ratio = np.maximum(x.mean(axis=0), tiny) / np.maximum(y.mean(axis=0), tiny)
    return float(np.sqrt(np.square(10 * np.log10(ratio)).mean()))
