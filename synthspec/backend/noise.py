"""Gaussian noise on counts and sums, from a secret key: each release is named, counted before it, and made once (P405-4).

A number is a function of (key, name of the release, place): SHAKE-256 of the key and the name (FIPS 202), which nobody
without the key can tell from chance. Importing this module imports numpy.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.releases import Released, ReleaseMeter

Numbers = NDArray[np.float64]
RNG = "SHAKE-256"
GRID = 2.0**-10
"""Released numbers are multiples of this: the low bits of a float64 would say which sums they can come from."""
HARDENING = "whole counts, noise added in float64, released on a grid of 1/1024"
HARDENING_OF_SUMS = (
    "features cut to multiples of 2^-30, exact sums, noise added in float64, released on a grid of 1/1024"
)


@dataclass
class Noise:
    """Releases vectors of counts or sums under one secret key; without a key, one that nobody keeps."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    meter: ReleaseMeter = field(default_factory=lambda: ReleaseMeter(None), repr=False)
    made: list[Released] = field(default_factory=list)
    vectors: dict[str, list[Numbers]] = field(default_factory=dict, repr=False)
    """What was released, by name."""

    def release(self, name: str, parts: Sequence[Numbers], sigma: float) -> list[Numbers]:
        """All of `parts` with Gaussian noise of `sigma` times what one record can move them by together.

        A record moves each part by at most one in L2, so all of them by the square root of their number.

        Raises ValueError for a name that was released already, whose noise would be the same, and for no noise.
        """
        if any(each.name == name for each in self.made):
            raise ValueError(f"{name} was released already")
        if not 0 < sigma < math.inf or not parts:
            raise ValueError("a release has parts, and noise")
        self.meter.count(len(self.made) + 1)
        size = sum(part.size for part in parts)
        self.made.append(Released(name=name, parts=len(parts), size=size, sigma=sigma))
        noise = sigma * math.sqrt(len(parts)) * normals(words(self.key, name, 2 * ((size + 1) // 2)))[:size]
        ends = np.cumsum([part.size for part in parts])[:-1]
        self.vectors[name] = [
            np.rint((part + each.reshape(part.shape)) / GRID) * GRID
            for part, each in zip(parts, np.split(noise, ends), strict=True)
        ]
        return self.vectors[name]


def words(key: bytes, name: str, count: int) -> NDArray[np.uint64]:
    """`count` words of the stream of `name` under `key`. Raises ValueError unless the key has 256 bits."""
    if len(key) != 32:
        raise ValueError("the key of a secret stream has 256 bits")
    stream = hashlib.shake_256(b"synthspec.noise.v1" + key + name.encode()).digest(8 * count)
    return np.frombuffer(stream, dtype="<u8").astype(np.uint64)


def normals(drawn: NDArray[np.uint64]) -> Numbers:
    """Standard normals, one of each of an even number of words, by Box and Muller; their tail ends at 8.6."""
    half = len(drawn) // 2
    u = ((drawn >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    radius, angle = np.sqrt(-2.0 * np.log(u[:half])), 2.0 * math.pi * u[half:]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
