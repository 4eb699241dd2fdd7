"""A table from noisy counts: the differentially private baseline of every deep engine (McKenna et al. 2021, Zhang et al. 2017).

Three vectors of counts are released, each once, with Gaussian noise on all of it: the cells of each field; how far each
pair is from independent, given the first; and, along the tree that these scores span, each field with its parent and the
target. Between the first and the second, cells are put together until a table has as many records a cell as it gets noise.
A record adds one to one cell of each field, changes each score by at most one, and adds one to one cell of each measured
table, so in L2 it moves a vector of k parts by sqrt k. All else is post-processing. Importing this imports numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from synthspec.accounting import Composed, Event, Gaussian
from synthspec.backend.cells import Cells, Codes, drawn_of
from synthspec.backend.grouping import Grouping
from synthspec.backend.noise import Noise
from synthspec.ir.statistics import marginal_sigmas

Counts = NDArray[np.float64]
MOST = 20_000
"""Cells of a measured table; beyond, the target is left out of it."""
BORNE, FEWEST = 0.6, 4
"""Records a cell of a table in units of the noise on it; and groups of a field, however much noise there is."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The law of `child` given its `parents`: shape (groups of the parents ..., of the child), each row adding up to 1."""

    child: int
    parents: tuple[int, ...]
    law: Counts


@dataclass(frozen=True, slots=True, eq=False)
class Marginals:
    """A network of tables in an order in which parents come first, and what it cost."""

    groupings: tuple[Grouping, ...]
    """Of the cells of each field."""
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
            drawn[table.child] = drawn_of(np.broadcast_to(law, (n, law.shape[-1])), rng)
        return tuple(grouping.spread(drawn[i], rng) for i, grouping in enumerate(self.groupings))


def fit_marginals(
    cells: Sequence[Cells], codes: Sequence[Codes], sigma: float, target: int | None = None, noise: Noise | None = None
) -> Marginals:
    """Release the counts of `codes`, one array a field, at a total noise of `sigma`, and build the network.

    `sigma` is that of one Gaussian release whose guarantee all three together have; `noise` makes the releases, by
    default under a key that nobody keeps. `target` is the field that the others are to predict. Raises ValueError for
    fewer than two fields, and for a sigma that is no noise.
    """
    if len(cells) < 2 or not sigma > 0:
        raise ValueError("a network of marginals takes two fields and noise")
    release = (noise or Noise()).release
    sigmas = marginal_sigmas(sigma)
    singles = release("fields", [counted(codes, cells, (i,)) for i in range(len(cells))], sigmas[0])
    total = max(1.0, float(np.median([single.sum() for single in singles])))
    std = sigmas[0] * math.sqrt(len(cells))
    laws = [projected(spanned(single, cell, std), total) for single, cell in zip(singles, cells, strict=True)]
    parts = _parts(total, sigmas[2] * math.sqrt(len(cells)), 1 if target is None else cells[target].count)
    merged = [
        Grouping.merged(law / law.sum(), parts, ordered=cell.ordered, apart=cell.ordered and cell.missing)
        for cell, law in zip(cells, laws, strict=True)
    ]
    grouped: list[Codes] = [group.of[code] for group, code in zip(merged, codes, strict=True)]
    laws = [np.bincount(group.of, law, group.count).astype(np.float64) for group, law in zip(merged, laws, strict=True)]
    apart = _apart(grouped, laws, total)
    scores = dict(zip(apart, (float(each[0]) for each in release("pairs", [*apart.values()], sigmas[1])), strict=True))
    order = _order(len(cells), scores, target)
    groups = [(*_kept(merged, child, parents), child) for child, parents in order]
    counts = release("tables", [counted(grouped, merged, group) for group in groups], sigmas[2])
    tables = tuple(
        Table(group[-1], group[:-1], _law(projected(count, total), laws[group[-1]]))
        for group, count in zip(groups, counts, strict=True)
    )
    return Marginals(groupings=tuple(merged), tables=tables, sigmas=sigmas, total=total)


def spanned(counts: Counts, cells: Cells, std: float) -> Counts:
    """`counts` of an ordered field from the first to the last that noise alone does not explain, and one more either way.

    A public range may be many times as wide as the data, and what noise puts far out moves every mean.
    """
    inside = np.arange(len(counts))
    seen = np.flatnonzero((counts > std * math.sqrt(2 * math.log(max(2, len(counts))))) & (inside < cells.filled))
    if not cells.ordered or not len(seen):
        return counts
    spanned = (inside >= seen[0] - 1) & (inside <= seen[-1] + 1)
    return np.where(spanned | (inside >= cells.filled), counts, 0.0)


def _parts(total: float, std: float, above: int) -> int:
    """Groups of a field with which a table of two of them, and of `above` cells, has `BORNE` times `std` a cell."""
    return max(FEWEST, math.floor(math.sqrt(total / (BORNE * std * above))))


class Countable(Protocol):
    """What has so many cells."""

    @property
    def count(self) -> int: ...


def counted(codes: Sequence[Codes], cells: Sequence[Countable], group: tuple[int, ...]) -> Counts:
    """How many records lie in each cell of the fields `group` together."""
    shape = tuple(cells[i].count for i in group)
    flat = np.ravel_multi_index(tuple(codes[i] for i in group), shape)
    return np.bincount(flat, minlength=math.prod(shape)).reshape(shape).astype(np.float64)


def _apart(codes: Sequence[Codes], laws: Sequence[Counts], total: float) -> dict[tuple[int, int], Counts]:
    """For each pair the L1 distance of its counts from those of independent fields, which were released before."""
    found = {}
    for a, b in combinations(range(len(laws)), 2):
        flat = np.bincount(codes[a] * len(laws[b]) + codes[b], minlength=len(laws[a]) * len(laws[b]))
        found[a, b] = np.array([np.abs(flat - (np.outer(laws[a], laws[b]) / total).ravel()).sum()])
    return found


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


def _kept(cells: Sequence[Countable], child: int, parents: tuple[int, ...]) -> tuple[int, ...]:
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
