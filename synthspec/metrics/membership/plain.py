"""Records as they were written, on scales alone: the space in which one move of all records is one vector.

Distances are taken in ranks where records are rows of a table; a constant that was added to a column is none there.
"""

from __future__ import annotations

import numpy as np

from synthspec.metrics.bench import Bench, Part
from synthspec.metrics.columns import flat, parts
from synthspec.metrics.request import Array, Field


def plain(bench: Bench, part: Part) -> tuple[Array, ...]:
    """Of a table one block (n, D_j) a column: numbers in standard deviations of the real records, categories one-hot,
    gaps as a column of their own. Of anything else, its space of distances as one block.
    """
    if bench.request.modality in {"image", "video"} or bench.windowed is not None:
        return (bench.space(part),)
    rows, real = flat(bench, part), flat(bench, bench.frozen_on)
    fields = parts(bench.request.fields, rows.shape[1])
    return tuple(_column(rows[:, i], real[:, i], field) for i, field in enumerate(fields))


def _column(column: Array, real: Array, field: Field) -> Array:
    if field.levels:
        return np.asarray((column[:, None] == np.arange(-1 if field.nullable else 0, field.levels)) / np.sqrt(2))
    known = real[np.isfinite(real)]
    unit = float(known.std()) if len(known) else 0.0
    scores = np.nan_to_num(column / (unit if unit > 0 else 1.0))[:, None]
    return np.concatenate([scores, np.isnan(column)[:, None]], axis=1) if field.nullable else scores
