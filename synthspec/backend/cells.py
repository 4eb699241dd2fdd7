"""Public cells of the fields of a table: what their ranges and vocabularies in the SRef say, and nothing of the records.

A number with few values has a cell for each; a wide one has cells that grow with it where its range spans decades, zero a
cell of its own, and equal ones elsewhere. Importing this module imports numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.columns import stored_members
from synthspec.backend.countable import uncountable
from synthspec.backend.dataset import Column
from synthspec.ir.schema import Field

Codes = NDArray[np.int64]
WIDE, CELLS, DECADE = 128, 48, 20.0
_NEAR = 1e-9
"""A range may end this many steps from a multiple of them and still hold it."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells of one field: a category each, a member each, or the stretches between `edges`."""

    name: str
    count: int
    edges: NDArray[np.float64] | None = None
    """The ends of the cells, ascending, but for that of a gap; None for categories."""
    whole: bool = False
    missing: bool = False
    """Whether the last cell is that of a gap."""
    members: NDArray[np.float64] | None = None
    """The numbers of an enum, ascending; None for anything else."""
    step: float = 0.0
    """What drawn numbers are multiples of; 0 for any number."""

    @classmethod
    def of(cls, field: Field) -> Cells:
        """Raises ValueError for a field without a public range or vocabulary, and for one with axes."""
        if reason := uncountable(field):
            raise ValueError(reason)
        if field.dtype == "categorical":
            return cls(field.name, len(field.enum) + field.nullable, missing=field.nullable)
        if field.dtype == "bool":
            return cls(field.name, 2)
        if field.enum:
            members = np.unique(np.asarray(stored_members(field), dtype=np.float64))
            return cls(field.name, len(members) + field.nullable, missing=field.nullable, members=members)
        low, high = field.range or (0.0, 1.0)
        whole = field.dtype.startswith(("int", "uint"))
        edges = _edges(low, high, whole=whole)
        count = len(edges) - 1 + field.nullable
        return cls(field.name, count, edges, whole, field.nullable, step=field.resolution or 0.0)

    def codes(self, column: Column) -> Codes:
        """The cell of each value: one outside the range falls in the nearest, and so does a gap that has none of its own."""
        if not self.ordered:
            known = column.astype(np.int64)
            return np.where(known < 0, self.count - 1, np.clip(known, 0, self.count - 1))
        found = self._nearest(column.astype(np.float64))
        return np.where(self.gaps(column), self.count - 1, found) if self.missing else found

    def gaps(self, column: Column) -> NDArray[np.bool_]:
        """Which numbers of an `ordered` field there are none of."""
        return np.asarray(np.isnan(column.astype(np.float64)))

    def _nearest(self, numbers: NDArray[np.float64]) -> Codes:
        if self.members is not None:
            between = (self.members[1:] + self.members[:-1]) / 2
            return np.searchsorted(between, np.nan_to_num(numbers, nan=self.members[0]), side="right").astype(np.int64)
        edges = np.zeros(2) if self.edges is None else self.edges
        known = np.nan_to_num(numbers, nan=float(edges[0]))
        return np.clip(np.searchsorted(edges, known, side="right") - 1, 0, self.filled - 1).astype(np.int64)

    def values(self, codes: Codes, rng: np.random.Generator) -> Column:
        """A value of each cell, drawn evenly from it; NaN, or -1 of a category, for a gap."""
        if not self.ordered:
            return np.where(codes == self.count - 1, -1, codes) if self.missing else codes
        drawn = self._numbers(np.minimum(codes, self.filled - 1), rng)
        return np.where(codes == self.filled, np.nan, drawn) if self.missing else drawn

    def _numbers(self, codes: Codes, rng: np.random.Generator) -> Column:
        if self.members is not None:
            return self.members[codes]
        edges = np.zeros(2) if self.edges is None else self.edges
        low, high = edges[codes], edges[codes + 1]
        return self._settled(low + rng.random(len(codes)) * (high - low))

    def places(self, column: Column) -> NDArray[np.float64]:
        """Where in the range each number of an `ordered` field lies, from 0 to 1: every cell is as wide as any other."""
        if self.edges is None:
            return (self._nearest(column.astype(np.float64)) + 0.5) / self.filled
        numbers = np.nan_to_num(column.astype(np.float64), nan=float(self.edges[0])) + 0.5 * self.whole
        return np.interp(numbers, self.edges, np.arange(self.filled + 1)) / self.filled

    def at(self, places: NDArray[np.float64]) -> Column:
        """The number of an `ordered` field at each of `places`, which are from 0 to 1."""
        along = np.clip(places, 0.0, 1.0) * self.filled
        if self.members is not None:
            return self.members[np.minimum(along.astype(np.int64), self.filled - 1)]
        if self.edges is None:
            raise ValueError(f"{self.name!r} has members in no order")
        found = np.interp(along, np.arange(self.filled + 1), self.edges)
        return self._settled(np.minimum(found, np.nextafter(self.edges[-1], -np.inf)))

    def _settled(self, drawn: NDArray[np.float64]) -> Column:
        """Numbers between the edges as the field has them: whole, or multiples of its step."""
        if self.edges is not None and self.step:
            first, last = np.ceil(self.edges[0] / self.step - _NEAR), np.floor(self.top / self.step + _NEAR)
            drawn = np.clip(np.rint(drawn / self.step), first, last) * self.step
            return np.rint(drawn).astype(np.int64) if self.whole else drawn
        return np.floor(drawn).astype(np.int64) if self.whole else drawn

    @property
    def filled(self) -> int:
        """Cells that hold values: all but that of a gap."""
        return self.count - self.missing

    @property
    def ordered(self) -> bool:
        """Whether neighbouring cells are alike: those of numbers are."""
        return self.edges is not None or self.members is not None

    @property
    def top(self) -> float:
        """The greatest value of a field with a range: cells of whole numbers end one above it."""
        return 0.0 if self.edges is None else float(self.edges[-1]) - self.whole


def drawn_of(laws: NDArray[np.float64], rng: np.random.Generator) -> Codes:
    """One code of each law, [n], with the probabilities that it has: `laws` [n, codes] of shares, with any sum."""
    steps = np.cumsum(laws, axis=1)
    found = (rng.random((len(laws), 1)) * steps[:, -1:] >= steps).sum(axis=1)
    return np.asarray(np.minimum(found, laws.shape[1] - 1), dtype=np.int64)


def _edges(low: float, high: float, *, whole: bool) -> NDArray[np.float64]:
    top = high + 1 if whole else high
    if whole and high - low < WIDE:
        return np.arange(low, high + 2)
    if low == 0 and whole and high > DECADE:
        return np.unique(np.concatenate([[0.0], np.floor(np.geomspace(1, top, CELLS))]))
    if low > 0 and high / low > DECADE:
        grown = np.geomspace(low, top, CELLS + 1)
        return np.unique(np.floor(grown)) if whole else grown
    even = np.linspace(low, top, CELLS + 1)
    return np.unique(np.floor(even)) if whole else even
