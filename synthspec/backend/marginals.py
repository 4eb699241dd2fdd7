"""A table from noisy counts: the differentially private baseline of every deep engine (McKenna et al. 2021, Zhang et al. 2017).

Three vectors of counts are released, each once, with Gaussian noise on all of it: the cells of each field; how far each
pair is from independent, given the first; and, along the tree that these scores span, each field with its parent and the
target. A record adds one to one cell of each field, changes each score by at most one, and adds one to one cell of each
measured table, so in L2 it moves a vector of k parts by sqrt k. All else is post-processing. Importing this imports numpy.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from synthspec.accounting import Composed, Event, Gaussian
from synthspec.backend.cells import Cells, Codes

Counts = NDArray[np.float64]
SHARES = (0.15, 0.10, 0.75)
"""Of the precision that a budget allows: single fields, scores of pairs, tables."""
MOST = 20_000
"""Cells of a measured table; beyond, the target is left out of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The law of `child` given its `parents`: shape (cells of the parents ..., cells of the child), each row adding up to 1."""

    child: int
    parents: tuple[int, ...]
    law: Counts


@dataclass(frozen=True, slots=True, eq=False)
class Marginals:
    """A network of tables in an order in which parents come first, and what it cost."""

    cells: tuple[Cells, ...]
    tables: tuple[Table, ...]
    sigmas: tuple[float, ...]
    """Of the three releases, in units of what one record moves them by."""
    total: float
    """Records, as the released counts add up: the number itself is not used."""

    @property
    def event(self) -> Event:
        """The releases as an accountant takes them."""
        return Composed(tuple(Gaussian(sigma) for sigma in self.sigmas))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Codes, ...]:
        """`n` records as codes, one array a field: no look at any record, so any number costs nothing."""
        drawn: dict[int, Codes] = {}
        for table in self.tables:
            law = table.law[tuple(drawn[parent] for parent in table.parents)]
            steps = np.cumsum(np.broadcast_to(law, (n, law.shape[-1])), axis=1)
            chosen = (rng.random((n, 1)) * steps[:, -1:] >= steps).sum(axis=1)
            drawn[table.child] = np.minimum(chosen, law.shape[-1] - 1).astype(np.int64)
        return tuple(drawn[i] for i in range(len(self.cells)))


def fit_marginals(cells: Sequence[Cells], codes: Sequence[Codes], sigma: float, target: int | None = None) -> Marginals:
    """Release the counts of `codes`, one array a field, at a total noise of `sigma`, and build the network.

    `sigma` is that of one Gaussian release whose guarantee all three together have; the noise is the operating system's,
    and nobody keeps it. `target` is the field that the others are to predict. Raises ValueError for fewer than two
    fields, and for a sigma that is no noise.
    """
    if len(cells) < 2 or not sigma > 0:
        raise ValueError("a network of marginals takes two fields and noise")
    sigmas = tuple(sigma / math.sqrt(share) for share in SHARES)
    singles = _released([_counted(codes, cells, (i,)) for i in range(len(cells))], sigmas[0])
    total = max(1.0, float(np.median([single.sum() for single in singles])))
    laws = [projected(single, total) for single in singles]
    scores = _scores(cells, codes, laws, total, sigmas[1])
    order = _order(len(cells), scores, target)
    groups = [(*_kept(cells, child, parents), child) for child, parents in order]
    counts = _released([_counted(codes, cells, group) for group in groups], sigmas[2])
    tables = tuple(
        Table(group[-1], group[:-1], _law(projected(count, total), laws[group[-1]]))
        for group, count in zip(groups, counts, strict=True)
    )
    return Marginals(cells=tuple(cells), tables=tables, sigmas=sigmas, total=total)


def _counted(codes: Sequence[Codes], cells: Sequence[Cells], group: tuple[int, ...]) -> Counts:
    shape = tuple(cells[i].count for i in group)
    flat = np.ravel_multi_index(tuple(codes[i] for i in group), shape)
    return np.bincount(flat, minlength=math.prod(shape)).reshape(shape).astype(np.float64)


def _released(parts: Sequence[Counts], sigma: float) -> list[Counts]:
    """One release of all `parts`, to each of which a record adds one, or which it changes by at most one."""
    std = sigma * math.sqrt(len(parts))
    return [part + std * normals(part.size).reshape(part.shape) for part in parts]


def _scores(
    cells: Sequence[Cells], codes: Sequence[Codes], laws: Sequence[Counts], total: float, sigma: float
) -> dict[tuple[int, int], float]:
    """For each pair the noisy L1 distance of its counts from those of independent fields, which were released before."""
    pairs = list(combinations(range(len(cells)), 2))
    apart = [
        np.array([np.abs(_counted(codes, cells, (a, b)) - np.outer(laws[a], laws[b]) / total).sum()]) for a, b in pairs
    ]
    return {pair: float(each[0]) for pair, each in zip(pairs, _released(apart, sigma), strict=True)}


def _order(fields: int, scores: dict[tuple[int, int], float], target: int | None) -> list[tuple[int, tuple[int, ...]]]:
    """Each field with its parents: the tree of the largest scores (Prim), the target a parent of all others."""
    rest = [i for i in range(fields) if i != target]

    def score(a: int, b: int) -> float:
        return scores[min(a, b), max(a, b)]

    above: tuple[int, ...] = () if target is None else (target,)
    first = max(rest, key=lambda i: sum(score(i, j) for j in range(fields) if j != i))
    order: list[tuple[int, tuple[int, ...]]] = [(target, ())] if target is not None else []
    order.append((first, above))
    inside, outside = [first], [i for i in rest if i != first]
    while outside:
        parent, child = max(((a, b) for a in inside for b in outside), key=lambda pair: score(*pair))
        order.append((child, (*above, parent)))
        inside.append(child)
        outside.remove(child)
    return order


def _kept(cells: Sequence[Cells], child: int, parents: tuple[int, ...]) -> tuple[int, ...]:
    """`parents` without the first ones where the table would have too many cells for its noise."""
    while parents and math.prod(cells[i].count for i in (*parents, child)) > MOST:
        parents = parents[1:]
    return parents


def projected(counts: Counts, total: float) -> Counts:
    """The nearest counts (L2) that are not negative and add up to `total` (Wang and Carreira-Perpinan 2013)."""
    ordered = np.sort(counts, axis=None)[::-1]
    excess = (np.cumsum(ordered) - total) / np.arange(1, ordered.size + 1)
    last = int(np.flatnonzero(ordered > excess)[-1])
    return np.asarray(np.maximum(counts - excess[last], 0.0))


def _law(counts: Counts, single: Counts) -> Counts:
    """Rows that add up to 1; where nothing was counted of the parents, what the field does by itself."""
    prior = single / single.sum()
    seen = counts + _PRIOR * prior
    return np.asarray(seen / seen.sum(axis=-1, keepdims=True))


_PRIOR = 1e-6
"""A trace of the field's own law in each row, so that no row is empty."""


def normals(count: int) -> Counts:
    """Standard normals from the entropy of the operating system, by Box and Muller."""
    half = (count + 1) // 2
    words = np.frombuffer(os.urandom(16 * half), dtype=np.uint64)
    u = ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    radius, angle = np.sqrt(-2.0 * np.log(u[:half])), 2.0 * math.pi * u[half:]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:count]
