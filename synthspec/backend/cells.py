"""Public cells of the fields of a table: what their ranges and vocabularies in the SRef say, and nothing of the records.

A number with few values has a cell for each; a wide one has cells that grow with it where its range spans decades, zero a
cell of its own, and equal ones elsewhere. Importing this module imports numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.dataset import Column
from synthspec.ir.schema import Field

Codes = NDArray[np.int64]
WIDE, CELLS, DECADE = 128, 48, 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells of one field: a category each, or the stretches between `edges`."""

    name: str
    count: int
    edges: NDArray[np.float64] | None = None
    """count + 1 numbers, ascending; None for categories."""
    whole: bool = False
    missing: bool = False
    """Whether the last cell is that of a gap."""

    @classmethod
    def of(cls, field: Field) -> Cells:
        """Raises ValueError for a field without a public range or vocabulary, and for one with axes."""
        if field.shape:
            raise ValueError(f"{field.name!r} has axes")
        if field.dtype == "categorical":
            return cls(field.name, len(field.enum) + field.nullable, missing=field.nullable)
        if field.dtype == "bool":
            return cls(field.name, 2)
        if field.range is None or field.dtype == "timestamp" or field.nullable:
            raise ValueError(f"{field.name!r} has no range that says what its cells are")
        low, high = field.range
        whole = field.dtype.startswith(("int", "uint"))
        edges = _edges(low, high, whole=whole)
        return cls(field.name, len(edges) - 1, edges, whole)

    def codes(self, column: Column) -> Codes:
        """The cell of each value: a value outside the range, or one that is none, falls in the nearest one."""
        if self.edges is None:
            known = column.astype(np.int64)
            return np.where(known < 0, self.count - 1, np.clip(known, 0, self.count - 1))
        numbers = np.nan_to_num(column.astype(np.float64), nan=float(self.edges[0]))
        return np.clip(np.searchsorted(self.edges, numbers, side="right") - 1, 0, self.count - 1).astype(np.int64)

    def values(self, codes: Codes, rng: np.random.Generator) -> Column:
        """A value of each cell, drawn evenly from it."""
        if self.edges is None:
            return np.where(codes == self.count - 1, -1, codes) if self.missing else codes
        low, high = self.edges[codes], self.edges[codes + 1]
        drawn = low + rng.random(len(codes)) * (high - low)
        return np.floor(drawn).astype(np.int64) if self.whole else drawn


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
