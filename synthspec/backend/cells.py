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
    """count + 1 numbers, ascending; None for categories."""
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
            return cls(field.name, len(members), members=members)
        low, high = field.range or (0.0, 1.0)
        whole = field.dtype.startswith(("int", "uint"))
        edges = _edges(low, high, whole=whole)
        return cls(field.name, len(edges) - 1, edges, whole, step=field.resolution or 0.0)

    def codes(self, column: Column) -> Codes:
        """The cell of each value: a value outside the range, or one that is none, falls in the nearest one."""
        if self.members is not None:
            between = (self.members[1:] + self.members[:-1]) / 2
            return np.searchsorted(between, column.astype(np.float64), side="right").astype(np.int64)
        if self.edges is None:
            known = column.astype(np.int64)
            return np.where(known < 0, self.count - 1, np.clip(known, 0, self.count - 1))
        numbers = np.nan_to_num(column.astype(np.float64), nan=float(self.edges[0]))
        return np.clip(np.searchsorted(self.edges, numbers, side="right") - 1, 0, self.count - 1).astype(np.int64)

    def values(self, codes: Codes, rng: np.random.Generator) -> Column:
        """A value of each cell, drawn evenly from it."""
        if self.members is not None:
            return self.members[codes]
        if self.edges is None:
            return np.where(codes == self.count - 1, -1, codes) if self.missing else codes
        low, high = self.edges[codes], self.edges[codes + 1]
        return self._settled(low + rng.random(len(codes)) * (high - low))

    def places(self, column: Column) -> NDArray[np.float64]:
        """Where in the range each number of an `ordered` field lies, from 0 to 1: every cell is as wide as any other."""
        if self.edges is None:
            return (self.codes(column) + 0.5) / self.count
        numbers = np.nan_to_num(column.astype(np.float64), nan=float(self.edges[0])) + 0.5 * self.whole
        return np.interp(numbers, self.edges, np.arange(self.count + 1)) / self.count

    def at(self, places: NDArray[np.float64]) -> Column:
        """The number of an `ordered` field at each of `places`, which are from 0 to 1."""
        along = np.clip(places, 0.0, 1.0) * self.count
        if self.members is not None:
            return self.members[np.minimum(along.astype(np.int64), self.count - 1)]
        if self.edges is None:
            raise ValueError(f"{self.name!r} has members in no order")
        found = np.interp(along, np.arange(self.count + 1), self.edges)
        return self._settled(np.minimum(found, np.nextafter(self.edges[-1], -np.inf)))

    def _settled(self, drawn: NDArray[np.float64]) -> Column:
        """Numbers between the edges as the field has them: whole, or multiples of its step."""
        if self.edges is not None and self.step:
            first, last = np.ceil(self.edges[0] / self.step - _NEAR), np.floor(self.top / self.step + _NEAR)
            drawn = np.clip(np.rint(drawn / self.step), first, last) * self.step
            return np.rint(drawn).astype(np.int64) if self.whole else drawn
        return np.floor(drawn).astype(np.int64) if self.whole else drawn

    @property
    def ordered(self) -> bool:
        """Whether neighbouring cells are alike: those of numbers are."""
        return self.edges is not None or self.members is not None

    @property
    def top(self) -> float:
        """The greatest value of a field with a range: cells of whole numbers end one above it."""
        return 0.0 if self.edges is None else float(self.edges[-1]) - self.whole


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
