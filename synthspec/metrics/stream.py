"""Random streams of the metrics: counter-based, one for each purpose, so that adding a metric moves no other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


def stream(seed: int, purpose: str) -> np.random.Generator:
    """A Philox generator keyed by the SHA-256 of `seed` and `purpose`."""
    key = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:16]
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))


def halves(n: int, repeats: int, rng: np.random.Generator) -> Iterator[tuple[Indices, Indices]]:
    """`repeats` random cuts of ``range(n)`` into two disjoint halves of n // 2."""
    for _ in range(repeats):
        order = rng.permutation(n)
        yield order[: n // 2], order[n // 2 : 2 * (n // 2)]


def blocks(n: int, count: int, rng: np.random.Generator) -> list[Indices]:
    """A random partition of ``range(n)`` into `count` blocks whose sizes differ by at most one."""
    return np.array_split(rng.permutation(n), count)


def subset(n: int, most: int, rng: np.random.Generator) -> Indices:
    """At most `most` of ``range(n)``, without repetition."""
    return rng.permutation(n)[:most]
