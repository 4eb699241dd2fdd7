"""``randcnn-v1``: frozen random convolutional features of pictures, without weights to download.

Three networks with orthogonal weights drawn from a hashed seed. Stage one takes random Fourier features of the local
patches (cosines of 3 x 3 projections: a mean embedding of the patch law, which a Gaussian with the right covariance
does not match); stage two takes absolute values of 3 x 3 projections of those with stride 2 (longer structure). Both
are averaged over the whole picture and over its quadrants, which keeps the layout, then projected to 24 dimensions.
Nothing is fitted to data: all constants are part of the definition, whose SHA-256 is in the name of every figure.

References: Naeem et al. 2020 (random networks as extractors away from ImageNet), Rahimi and Recht 2007.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import asdict, dataclass

import numpy as np

from synthspec.metrics.features.weights import digest, orthogonal
from synthspec.metrics.request import Array
from synthspec.metrics.stream import stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """All that fixes the features; its SHA-256 names them."""

    channels: int
    name: str = "randcnn-v1"
    input: str = "NCHW, SRef range to [-1, 1], block average to a short side of at most 32"
    stage1: str = "sqrt(2) cos(frequency / sqrt(channels) conv3x3 + uniform phase), edge padding"
    stage2: str = "abs(conv3x3, stride 2), edge padding"
    pool: str = "means over the picture and, halved, over its quadrants; stage 2 halved"
    weights: str = "orthogonal by QR of normal draws, Philox keyed by sha256('0/randcnn-v1/SEED')"
    frequency: float = 3.0
    width: int = 64
    dim: int = 24
    seeds: tuple[int, ...] = (0, 1, 2)
    longest: int = 32
    scale: float = 3.4
    """Brings features to order one, which the cubic kernel of KID needs."""
    fd_scale: float = 10.0
    """The Frechet distance is of features in tenths of their unit: ordinary values are then of order ten."""

    @property
    def sha256(self) -> str:
        return digest(asdict(self))


_BATCH = 128


class RandCNN:
    """The extractor for pictures with `channels` channels, of any height and width."""

    def __init__(self, channels: int) -> None:
        self._definition = Definition(channels=channels)
        self.sha256 = self._definition.sha256
        self.name = f"randcnn-v1@{self.sha256[:8]}"
        self.fd_scale = self._definition.fd_scale
        self.dim = self._definition.dim
        self._networks = [_Network(self._definition, seed) for seed in self._definition.seeds]

    def __call__(self, content: Array) -> Array:
        """Features of shape (n, 3, 24) of pictures (n, C, H, W) with values in [-1, 1]; row i depends on row i alone."""
        small = (_shrink(content[i : i + _BATCH], self._definition.longest) for i in range(0, len(content), _BATCH))
        return np.concatenate([np.stack([network(x) for network in self._networks], axis=1) for x in small])


class _Network:
    """One random network: (n, C, H, W) to (n, dim)."""

    def __init__(self, definition: Definition, seed: int) -> None:
        rng = stream(0, f"{definition.name}/{seed}")
        width = definition.width
        self._first = orthogonal(rng, definition.channels * 9, width)
        self._phase = rng.uniform(0.0, 2 * math.pi, width)
        self._second = orthogonal(rng, width * 9, width)
        self._project = orthogonal(rng, 10 * width, definition.dim) * definition.scale
        self._frequency = definition.frequency / math.sqrt(definition.channels)

    def __call__(self, x: Array) -> Array:
        one = math.sqrt(2) * np.cos(self._frequency * _convolve(x.transpose(0, 2, 3, 1), self._first, 1) + self._phase)
        two = np.abs(_convolve(one, self._second, 2))
        return np.asarray(np.concatenate([_pool(one), 0.5 * _pool(two)], axis=1) @ self._project)


def _convolve(x: Array, weights: Array, stride: int) -> Array:
    """3 x 3 convolution of (n, H, W, C) with edge padding; returns (n, H', W', columns of `weights`).

    Rows of `weights` run over (channel, dy, dx). Nine shifted products need no copy of the patches.
    """
    n, height, width, channels = x.shape
    kernel = weights.reshape(channels, 3, 3, -1)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    out = np.zeros((n, -(-height // stride), -(-width // stride), kernel.shape[3]))
    for dy, dx in itertools.product(range(3), range(3)):
        out += padded[:, dy : dy + height : stride, dx : dx + width : stride] @ kernel[:, dy, dx]
    return out


def _pool(x: Array) -> Array:
    """Means of (n, H, W, C) over the picture and, halved, over its quadrants: (n, 5 C)."""
    parts = [x.mean(axis=(1, 2))]
    for top, bottom in _cuts(x.shape[1]):
        for left, right in _cuts(x.shape[2]):
            parts.append(0.5 * x[:, top:bottom, left:right].mean(axis=(1, 2)))
    return np.concatenate(parts, axis=1)


def _cuts(length: int) -> list[tuple[int, int]]:
    """Two halves of a side; a side of one pixel is both."""
    if length == 1:
        return [(0, 1), (0, 1)]
    return list(itertools.pairwise((0, (length + 1) // 2, length)))


def _shrink(x: Array, longest: int) -> Array:
    """Average over square blocks until the shorter side is at most `longest`; a ragged margin is cut off."""
    factor = math.ceil(min(x.shape[2:]) / longest)
    if factor <= 1:
        return x
    n, channels, height, width = x.shape
    x = x[:, :, : height // factor * factor, : width // factor * factor]
    return np.asarray(x.reshape(n, channels, height // factor, factor, width // factor, factor).mean(axis=(3, 5)))
