"""Which cells a column gets: from the train rows, or from the SRef alone (P405-7; privacy needs the latter).

From the train rows: a column of few values has an atom for each; a spiky one (zero-inflated, or of values that come
again and again) has atoms for those and runs between them; the others have runs of equal shares, finer at both ends,
where a record stands alone: that is what the transform `quantile` asks for. Under `linear` and `log` runs have equal
widths, or equal ratios, over the range of the SRef; under `standard` equal widths about the mean of the train rows. From
the SRef alone: members of enums, truth values and short lattices have atoms, and other numbers runs over their range, of
equal width or `grown` with the value; no data are looked at.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from synthspec.backend.dataset import Column
from synthspec.ir.schema import Field
from synthspec_torch.data.cells import (
    F64,
    I64,
    CellColumn,
    Exact,
    Lattice,
    bounds_of,
    exact_values,
    lattice_of,
    members_of,
)
from synthspec_torch.data.kinds import FEW

BINS = 64
"""Runs of equal shares that a number gets by default."""
SPIKES = 160
"""Atoms that a spiky column may have."""
REPEATED = 3
"""A value of so many train rows may be a spike; rarer ones are never a cell of their own."""
SPIKY = 0.5
"""A column is spiky when repeated values make up this share of it ..."""
DENSE = 0.25
"""... on a lattice of which the train rows leave at least this share between their ends empty."""
HEAVY = 0.01
"""A value of this share is an atom in any column, and no run goes across it."""
PER_RUN = 10
"""Train rows of a run, at least."""
DECADES = 20.0
"""A range whose end is so many times its beginning has runs that grow."""
SPREAD = 4.0
"""Deviations of the train rows that a standardised number has runs for on either side of their mean."""
LONGEST = 2.0**50
"""Steps of one run: places tell all of them apart."""


def fitted(field: Field, column: Column, bins: int = BINS) -> CellColumn:
    """The cells of one number of `field`, by the train rows `column` [n]. Raises DataError as `CellColumn.encode` does."""
    known = column[column != -1] if field.dtype == "categorical" else column[np.equal(column, column)]
    lattice = lattice_of(field, known) if len(known) or field.dtype != "timestamp" else Lattice(0, 1.0)
    members = members_of(field, lattice)
    if members is not None:
        return _weighed(_closed(field, lattice, members), column)
    values = exact_values(field, lattice, known) if len(known) else np.zeros(0, np.int64 if lattice else np.float64)
    low, high = bounds_of(field, lattice)
    if lattice and high - low < FEW:
        return _weighed(_closed(field, lattice, np.arange(int(low), int(high) + 1)), column)
    if field.transform in {"linear", "log"}:
        return _weighed(declared(field, bins), column)
    if field.transform == "standard":
        return _weighed(_standard(field, lattice, values.astype(np.float64), bins), column)
    atoms = _spikes(values, lattice)
    free = values[~np.isin(values, atoms)]
    heavy = _heavy(values, atoms)
    edges, tails = _edges(free, atoms, heavy, (low, high), lattice, bins)
    return _weighed(CellColumn(field, lattice, atoms, edges, tails, np.ones(0)), column)


def declared(field: Field, bins: int = BINS, *, grown: bool = False) -> CellColumn:
    """The cells of one number of `field` by the SRef alone. Raises ValueError for a number or instant without a range.

    `grown`: where a range spans decades its runs grow with the value, and a count has a run for zero alone.
    """
    if field.dtype == "timestamp":
        raise ValueError(f"the instants of {field.name} have no range in the SRef, so their cells need data")
    lattice = lattice_of(field, np.zeros(0))
    members = members_of(field, lattice)
    low, high = bounds_of(field, lattice)
    if members is None and not np.isfinite(high - low):
        raise ValueError(f"cells from the SRef alone need the range of {field.name}")
    if members is None and lattice and high - low < FEW:
        members = np.arange(int(low), int(high) + 1)
    if members is not None:
        bare = _closed(field, lattice, members)
    else:
        top = high + (lattice is not None)
        if field.transform:
            places = np.geomspace(low, top, bins + 1) if field.transform == "log" else np.linspace(low, top, bins + 1)
        else:
            places = _places(low, top, bins, whole=lattice is not None, grown=grown)
        places[[0, -1]] = low, top  # geomspace may end one unit in the last place off
        edges = np.unique(np.round(places).astype(np.int64)) if lattice else places
        bare = CellColumn(field, lattice, edges[:0], edges, (0.0, 0.0), np.ones(0))
    shares = np.full(bare.levels, 1.0 / bare.levels)
    return CellColumn(field, lattice, bare.atoms, bare.edges, bare.tails, shares)


def _places(low: float, top: float, bins: int, *, whole: bool, grown: bool) -> F64:
    """The ends of `bins` runs from `low` to `top`."""
    if grown and whole and low == 0:
        return np.concatenate([[0.0], np.geomspace(1.0, top, bins)])
    if grown and low > 0 and top > DECADES * low:
        return np.geomspace(low, top, bins + 1)
    return np.linspace(low, top, bins + 1)


def _standard(field: Field, lattice: Lattice | None, values: F64, bins: int) -> CellColumn:
    """Runs of equal width over the mean of the train rows and `SPREAD` of their deviations on both sides, within the range."""
    mean, std = (float(values.mean()), float(values.std())) if len(values) else (0.0, 1.0)
    whole = lattice is not None
    reach = SPREAD * std or 1.0
    low, high = bounds_of(field, lattice)
    inner = np.linspace(max(low, mean - reach), min(high + whole, mean + reach), bins + 1)
    outer = [end for end in (low, high + whole) if np.isfinite(end)]
    edges = np.unique(np.concatenate([np.round(inner) if whole else inner, outer]))
    if len(edges) < 2:
        edges = np.array([edges[0], edges[0] + 1.0])
    scale = max(std, 1.0 if whole else 1e-6 * max(1.0, abs(mean)))
    tails = (0.0 if np.isfinite(low) else scale, 0.0 if np.isfinite(high) else scale)
    exact = edges.astype(np.int64) if whole else edges
    return CellColumn(field, lattice, exact[:0], exact, tails, np.ones(0))


def _closed(field: Field, lattice: Lattice | None, members: Exact) -> CellColumn:
    """A column that holds `members` and nothing else."""
    return CellColumn(field, lattice, members, np.zeros(0, members.dtype), (0.0, 0.0), np.ones(0))


def _weighed(column: CellColumn, rows: Column) -> CellColumn:
    """`column` with the shares of `rows`, each cell half a row more than it has (Krichevsky and Trofimov 1981)."""
    codes, _ = column.encode(rows)
    counts = np.bincount(codes, minlength=column.levels) + 0.5
    return CellColumn(column.field, column.lattice, column.atoms, column.edges, column.tails, counts / counts.sum())


def _spikes(values: Exact, lattice: Lattice | None) -> Exact:
    """The values that get an atom, ascending."""
    if not len(values):
        return values
    distinct, counts = np.unique(values, return_counts=True)
    often = counts >= REPEATED
    few = lattice is not None and len(distinct) <= FEW and often.mean() >= SPIKY
    gaps = 1.0 - len(distinct) / (float(distinct[-1] - distinct[0]) + 1.0) if lattice else 1.0
    if few or (counts[often].sum() >= SPIKY * len(values) and gaps >= DENSE):
        return np.sort(distinct[np.argsort(-counts, kind="stable")[: min(SPIKES, int(often.sum()))]])
    return np.asarray(distinct[counts >= max(REPEATED, HEAVY * len(values))])


def _heavy(values: Exact, atoms: Exact) -> I64:
    """The places in `atoms` of those with a share of `HEAVY`."""
    at = np.searchsorted(atoms, values)
    hit = at[(at < len(atoms))]
    same = hit[atoms[hit] == values[at < len(atoms)]] if len(atoms) else hit[:0]
    counts = np.bincount(same, minlength=len(atoms))
    return np.flatnonzero(counts >= HEAVY * max(1, len(values)))


def _edges(
    free: Exact, atoms: Exact, heavy: I64, bounds: tuple[float, float], lattice: Lattice | None, bins: int
) -> tuple[Exact, tuple[float, float]]:
    """The ends of the runs over the values `free` that are no atoms, and the scales of the tails."""
    whole = lattice is not None
    ranks = free - np.searchsorted(atoms, free) if whole else free
    stops = atoms[heavy] - heavy if whole else atoms[heavy]
    ends = [_rank(end, atoms) if whole and np.isfinite(end) else end for end in bounds]
    ends[1] += 1.0 if whole else 0.0
    if len(ranks):
        inner = np.quantile(ranks, _probabilities(len(ranks), bins))
        inner[-1] += 1.0 if whole else 0.0
    elif len(atoms):
        inner = np.array([stops.min(), stops.max()] if len(stops) else [0.0, 0.0], dtype=np.float64)
    else:
        inner = np.array([0.0, 1.0])
    edges = np.concatenate([np.floor(inner) if whole else inner, stops.astype(np.float64)])
    edges = np.concatenate([edges, [end for end in ends if np.isfinite(end)]])
    edges = np.unique(np.clip(edges, ends[0], ends[1]))
    if len(edges) < 2:
        edges = np.array([edges[0], edges[0] + 1.0])
    reach = max(float(edges[-1] - edges[0]) / 8.0, 1.0 if whole else 1e-6 * max(1.0, abs(float(edges[0]))))
    tails = (0.0 if np.isfinite(ends[0]) else reach, 0.0 if np.isfinite(ends[1]) else reach)
    return (_refined(edges).astype(np.int64) if whole else edges), tails


def _rank(k: float, atoms: Exact) -> float:
    return k - float(np.searchsorted(atoms, k))


def _probabilities(rows: int, bins: int) -> F64:
    """Shares at which runs end: equal ones of at least `PER_RUN` rows, the outermost halved as long as rows are left."""
    count = int(np.clip(rows // PER_RUN, 1, bins))
    inner = np.linspace(0.0, 1.0, count + 1)
    halves = 0.5 ** np.arange(1, 7) / count
    halves = halves[halves * rows >= PER_RUN]
    return np.unique(np.concatenate([inner, halves, 1.0 - halves]))


def _refined(edges: F64) -> F64:
    """`edges` with runs of more than `LONGEST` steps cut."""
    parts = [
        np.linspace(low, high, int(np.ceil((high - low) / LONGEST)), endpoint=False) if high - low > LONGEST else [low]
        for low, high in pairwise(edges.tolist())
    ]
    return np.concatenate([*parts, edges[-1:]])
