"""Cells of one field put together until noise on tables of them can be borne: by what was released of the field alone.

Importing this module imports numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.cells import Codes

Law = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Which group each cell is in, and what each cell's share of its group is."""

    of: Codes
    count: int
    law: Law
    """Of the cells, adding up to 1."""

    @classmethod
    def merged(cls, law: Law, parts: int, *, ordered: bool, apart: bool = False) -> Grouping:
        """About `parts` groups of equal mass: of neighbours where cells are `ordered`, else of cells that are as rare.

        With `apart` the last cell is a neighbour of none, and has a group of its own.
        """
        if len(law) <= parts:
            return cls(np.arange(len(law)), len(law), law)
        if apart:
            others = cls.merged(law[:-1] / max(law[:-1].sum(), _LEAST), parts - 1, ordered=ordered)
            return cls(np.append(others.of, others.count), others.count + 1, law)
        order = np.arange(len(law)) if ordered else np.argsort(-law, kind="stable")
        middle = np.cumsum(law[order]) - law[order] / 2
        place = np.minimum(np.floor(middle * parts), parts - 1)
        groups = np.empty(len(law), np.int64)
        groups[order] = np.concatenate([[0], np.cumsum(np.diff(place) > 0)])
        return cls(groups, int(groups.max()) + 1, law)

    def spread(self, groups: Codes, rng: np.random.Generator) -> Codes:
        """A cell of each of `groups`, drawn by the law of the field."""
        order = np.argsort(self.of, kind="stable")
        ends = np.cumsum(np.maximum(self.law[order], _LEAST))
        first = np.searchsorted(self.of[order], np.arange(self.count))
        starts = np.concatenate([[0.0], ends])[first]
        stops = np.concatenate([starts[1:], ends[-1:]])
        drawn = starts[groups] + rng.random(len(groups)) * (stops - starts)[groups]
        last = np.concatenate([first[1:], [len(order)]])[groups] - 1
        chosen = np.clip(np.searchsorted(ends, drawn, side="right"), first[groups], last)
        return np.asarray(order[chosen], dtype=np.int64)


_LEAST = 1e-12
"""A trace of each cell, so that a group of which nothing was counted can still be drawn from."""
