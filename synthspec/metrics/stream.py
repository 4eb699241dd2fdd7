"""Random streams of the metrics: counter-based, one for each purpose, so that adding a metric moves no other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.draws import named as stream

__all__ = ["Indices", "blocks", "halves", "stream", "subset"]

Indices = NDArray[np.intp]


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
