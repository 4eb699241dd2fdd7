"""``table-quantile-v1``: numbers by their rank among real records, categories one-hot, gaps as what they are.

Fitted on real records alone, once, and then frozen: neither the synthetic records nor the split under judgement move it.
A heavy tail, a spike or a unit changes nothing, which a map of the declared range cannot say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from synthspec.metrics.features.weights import digest
from synthspec.metrics.request import Array, Field


@dataclass(frozen=True, slots=True, eq=False)
class _Ranks:
    """The ranks of one column: distinct values, ascending, and the middle of the ranks that each of them takes."""

    values: Array
    ranks: Array
    edge: float

    @classmethod
    def of(cls, column: Array) -> _Ranks:
        known = column[~np.isnan(column)]
        values, counts = np.unique(known, return_counts=True)
        middle = (np.cumsum(counts) - counts / 2) / max(len(known), 1)
        return cls(values, middle, 0.5 / max(len(known), 1))

    def normal(self, column: Array) -> Array:
        """Normal scores; what lies outside of all real values scores as the most extreme of them would."""
        if not len(self.values):
            return np.zeros(len(column))
        rank = np.interp(column, self.values, self.ranks)
        rank = np.where(column < self.values[0], self.edge, np.where(column > self.values[-1], 1 - self.edge, rank))
        return np.nan_to_num(ndtri(rank))


class TableQuantile:
    """The extractor for mixed tables: (n, columns) to (n, 1, dim), fitted on `real` rows (m, columns).

    A number becomes the normal score of its mid-rank among the real values, interpolated between them; a nullable one
    has a second column that is 1 where there is no value (the score is then 0). A category is one-hot over sqrt(2),
    so that two different ones are one apart; in a nullable field the gap is a category of its own.
    """

    def __init__(self, fields: tuple[Field, ...], real: Array) -> None:
        shape = [[f.name, f.levels, f.nullable] for f in fields]
        self.sha256 = digest(["table-quantile-v1", "normal scores of mid-ranks of real records", shape])
        self.name = f"table-quantile-v1@{self.sha256[:8]}"
        self.fd_scale = 1.0
        self.dim = sum((f.levels or 1) + f.nullable for f in fields)
        self._fields = fields
        self._ranks = [None if f.levels else _Ranks.of(real[:, i]) for i, f in enumerate(fields)]

    def __call__(self, content: Array) -> Array:
        """Features of shape (n, 1, dim) of rows in the units of the SRef; row i depends on row i alone."""
        parts = [_encode(content[:, i], f, r) for i, (f, r) in enumerate(zip(self._fields, self._ranks, strict=True))]
        return np.concatenate(parts, axis=1)[:, None, :]


def _encode(column: Array, field: Field, ranks: _Ranks | None) -> Array:
    if ranks is None:
        codes = np.arange(-1 if field.nullable else 0, field.levels)
        return np.asarray((column[:, None] == codes) / math.sqrt(2))
    scores = ranks.normal(column)[:, None]
    return np.concatenate([scores, np.isnan(column)[:, None]], axis=1) if field.nullable else scores
