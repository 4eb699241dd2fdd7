"""``randtcn-v1``: frozen random dilated convolutions of series, without weights to download.

Kernels of length 7 at dilations 1, 2, 4, ... reach from neighbouring values to the whole window (ROCKET, Dempster et al.
2020). Each is read by the mean of its cosine, a mean embedding of the law of the patches, and of its absolute value,
over the window and over its halves. Channels are standardised by constants of real records; nothing else is fitted.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from synthspec.metrics.features.weights import digest, orthogonal
from synthspec.metrics.request import Array
from synthspec.metrics.stream import stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """All that fixes the features but the two constants of each channel."""

    channels: int
    length: int
    name: str = "randtcn-v1"
    input: str = "channels standardised by mean and standard deviation of real records"
    kernel: str = "7 taps (3 in windows below 14) over all channels, dilations 1, 2, 4, ... while they fit"
    read: str = "sqrt(2) cos(frequency conv + uniform phase) and abs(conv)"
    pool: str = "means over the window and, halved, over its halves; abs halved"
    weights: str = "orthogonal by QR of normal draws, Philox keyed by sha256('0/randtcn-v1/SEED')"
    frequency: float = 1.5
    width: int = 64
    dim: int = 24
    seeds: tuple[int, ...] = (0, 1, 2)
    scale: float = 3.4
    fd_scale: float = 10.0

    @property
    def taps(self) -> int:
        return 7 if self.length >= 14 else 3

    @property
    def dilations(self) -> tuple[int, ...]:
        most = max(1, (self.length - 1) // (self.taps - 1))
        return tuple(2**j for j in range(most.bit_length()) if 2**j <= most)


_BATCH = 512


class RandTCN:
    """The extractor for series (n, channels, length), with the constants of `real` (m, channels, length)."""

    def __init__(self, real: Array) -> None:
        self._definition = Definition(channels=real.shape[1], length=real.shape[2])
        self.sha256 = digest(asdict(self._definition))
        self.name = f"randtcn-v1@{self.sha256[:8]}"
        self.fd_scale = self._definition.fd_scale
        self.dim = self._definition.dim
        spread = real.std(axis=(0, 2))
        self._shift = real.mean(axis=(0, 2))[:, None]
        self._unit = np.where(spread > 0, spread, 1.0)[:, None]
        self._networks = [_Network(self._definition, seed) for seed in self._definition.seeds]

    def __call__(self, content: Array) -> Array:
        """Features of shape (n, 3, 24) of series in the units of the SRef; row i depends on row i alone."""
        series = content.reshape(len(content), self._definition.channels, self._definition.length)
        scaled = (series - self._shift) / self._unit
        parts = (scaled[i : i + _BATCH] for i in range(0, len(scaled), _BATCH))
        return np.concatenate([np.stack([network(x) for network in self._networks], axis=1) for x in parts])


class _Network:
    """One random network: (n, channels, length) to (n, dim)."""

    def __init__(self, definition: Definition, seed: int) -> None:
        rng = stream(0, f"{definition.name}/{seed}")
        self._dilations = definition.dilations
        each = math.ceil(definition.width / len(self._dilations))
        rows = definition.channels * definition.taps
        self._kernels = [orthogonal(rng, rows, each) for _ in self._dilations]
        self._phase = rng.uniform(0.0, 2 * math.pi, each)
        self._project = orthogonal(rng, 6 * each * len(self._dilations), definition.dim) * definition.scale
        self._definition = definition

    def __call__(self, x: Array) -> Array:
        parts = []
        for dilation, kernel in zip(self._dilations, self._kernels, strict=True):
            seen = self._convolve(x, kernel, dilation)
            wave = math.sqrt(2) * np.cos(self._definition.frequency * seen + self._phase)
            parts += [_pool(wave), 0.5 * _pool(np.abs(seen))]
        return np.asarray(np.concatenate(parts, axis=1) @ self._project)

    def _convolve(self, x: Array, kernel: Array, dilation: int) -> Array:
        """Valid convolution: (n, channels, length) to (n, length', columns of `kernel`); rows are (channel, tap)."""
        taps = self._definition.taps
        weights = kernel.reshape(x.shape[1], taps, -1)
        kept = x.shape[2] - (taps - 1) * dilation
        series = x.transpose(0, 2, 1)
        out = np.zeros((len(x), kept, weights.shape[2]))
        for tap in range(taps):
            out += series[:, tap * dilation : tap * dilation + kept] @ weights[:, tap]
        return out


def _pool(x: Array) -> Array:
    """Means of (n, length, width) over the window and, halved, over its two halves: (n, 3 width)."""
    middle = (x.shape[1] + 1) // 2
    late = x[:, middle:] if x.shape[1] > 1 else x
    return np.concatenate([x.mean(1), 0.5 * x[:, :middle].mean(1), 0.5 * late.mean(1)], axis=1)
