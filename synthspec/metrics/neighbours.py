"""Balls around records: the nearest-neighbour geometry behind precision, recall, density, coverage and memorisation.

Squared distances come from matrix products, which are ten times faster than differences and wrong in the last digits.
Where those digits could decide, among equal records above all, the distance is computed again from differences: every
answer is the one that differences alone would give, whatever BLAS rounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.metrics.request import Array

_NUMBERS = 1 << 23
"""Of one temporary matrix: 64 MiB."""


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """For each point the distance to the nearest of the others and its place among them, the first of equals."""

    distance: Array
    index: NDArray[np.intp]


def radii(x: Array, *neighbours: int) -> tuple[Array, ...]:
    """Distance of each of (n, d) to its k-th nearest *other* record, for each k of `neighbours`; n > k.

    A duplicate is another record.
    """
    ks = sorted(neighbours)
    found: list[list[Array]] = [[] for _ in ks]
    for squares in _Squares.of(x, x):
        reach = np.partition(squares.matrix, ks[-1], axis=1)[:, ks[-1], None]
        rows, _, exact = squares.pairs(squares.matrix <= reach + 2 * squares.slack)
        order = np.lexsort((exact, rows))
        first = np.searchsorted(rows[order], np.arange(len(squares.matrix)))
        for part, k in zip(found, ks, strict=True):
            part.append(exact[order][first + k])
    by_k = {k: np.concatenate(part) for k, part in zip(ks, found, strict=True)}
    return tuple(by_k[k] for k in neighbours)


def hits(points: Array, centres: Array, reach: Array) -> NDArray[np.intp]:
    """How many of the closed balls (`centres`, `reach`) hold each of `points`: shape (len(points),)."""
    return np.concatenate([squares.within(reach).sum(axis=1) for squares in _Squares.of(points, centres)])


def closest(points: Array, others: Array) -> Nearest:
    """The nearest of `others` to each of `points`."""
    distance, index = [], []
    for squares in _Squares.of(points, others):
        least = squares.matrix.min(axis=1, keepdims=True)
        rows, columns, exact = squares.pairs(squares.matrix <= least + 2 * squares.slack)
        order = np.lexsort((columns, exact, rows))
        first = order[np.searchsorted(rows[order], np.arange(len(squares.matrix)))]
        distance.append(exact[first])
        index.append(columns[first])
    return Nearest(np.concatenate(distance), np.concatenate(index))


def nearest(points: Array, others: Array) -> Array:
    """Distance of each of `points` to the nearest of `others`: shape (len(points),)."""
    return closest(points, others).distance


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """How the balls of real and synthetic records hold one another."""

    precise: NDArray[np.bool_]
    """Of each synthetic record, whether some real ball of `few` neighbours holds it."""
    recalled: NDArray[np.bool_]
    """Of each real record, whether some synthetic ball of `few` neighbours holds it."""
    depth: NDArray[np.intp]
    """How many real balls of `many` neighbours hold each synthetic record."""
    covered: NDArray[np.bool_]
    """Of each real record, whether its ball of `many` neighbours holds a synthetic one."""


def overlap(real: Array, synthetic: Array, few: int, many: int) -> Overlap:
    """All four at once, from three matrices of distances."""
    tight, wide = radii(real, few, many)
    (reach,) = radii(synthetic, few)
    precise, depth = np.zeros(len(synthetic), bool), np.zeros(len(synthetic), np.intp)
    recalled, covered = [], []
    for squares in _Squares.of(real, synthetic):
        rows = slice(squares.start, squares.start + len(squares.matrix))
        precise |= squares.within(tight[rows, None]).any(axis=0)
        inside = squares.within(wide[rows, None])
        depth += inside.sum(axis=0)
        covered.append(inside.any(axis=1))
        recalled.append(squares.within(reach).any(axis=1))
    return Overlap(precise, np.concatenate(recalled), depth, np.concatenate(covered))


@dataclass(frozen=True, slots=True, eq=False)
class _Squares:
    """Rows of the matrix of squared distances, right to `slack`, and the records that they are between."""

    matrix: Array
    slack: float
    x: Array
    y: Array
    start: int

    @classmethod
    def of(cls, x: Array, y: Array) -> Iterator[_Squares]:
        """Blocks of rows, so that memory stays bounded."""
        centre = y.mean(axis=0)
        a, b = x - centre, y - centre
        norms_a, norms_b = np.einsum("ij,ij->i", a, a), np.einsum("ij,ij->i", b, b)
        largest = float(norms_a.max(initial=0.0) + norms_b.max(initial=0.0))
        slack = 8 * (x.shape[1] + 8) * np.finfo(np.float64).eps * largest
        size = max(1, _NUMBERS // max(len(y), 1))
        for start in range(0, len(x), size):
            rows = slice(start, start + size)
            matrix = (-2 * a[rows]) @ b.T
            matrix += norms_b
            matrix += norms_a[rows, None]
            yield cls(matrix, slack, x[rows], y, start)

    def pairs(self, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
        """Rows, columns and true distances where `chosen`, in the order of rows."""
        rows, columns = np.nonzero(chosen)
        size = max(1, _NUMBERS // self.x.shape[1]) if self.x.shape[1] else max(len(rows), 1)
        parts = [
            np.sqrt(np.square(self.x[rows[i : i + size]] - self.y[columns[i : i + size]]).sum(axis=1))
            for i in range(0, len(rows), size)
        ]
        return rows, columns, np.concatenate(parts) if parts else np.zeros(0)

    def within(self, reach: Array) -> NDArray[np.bool_]:
        """Where the true distance is at most `reach`, which is shaped for the matrix."""
        limit = np.square(reach)
        inside = self.matrix <= limit - self.slack
        doubtful = (self.matrix <= limit + self.slack) & ~inside
        if doubtful.any():
            rows, columns, exact = self.pairs(doubtful)
            inside[rows, columns] = exact <= np.broadcast_to(reach, inside.shape)[rows, columns]
        return inside
