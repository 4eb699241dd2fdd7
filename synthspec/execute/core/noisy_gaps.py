"""What gaps are filled with under a mechanism: means, medians and modes of noisy counts, which are charged like all noise.

The counts are of the values that there are, in the cells that the SRef gives. Means of them are as good as the cells
are narrow, and what noise alone explains beyond the values that were found is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.cells import Cells
from synthspec.backend.dataset import Dataset
from synthspec.backend.marginals import counted, projected, spanned
from synthspec.backend.noise import Noise
from synthspec.execute.core.impute import completed, gaps_of, settled
from synthspec.ir.ops import Impute, Statistics
from synthspec.ir.statistics import IMPUTATION
from synthspec.spec.data import Constant, Statistic


def released_values(op: Statistics, train: Dataset, noise: Noise) -> dict[str, float]:
    """What stands for a missing value of each field that `op` fills with a statistic, as its column holds it.

    One vector is released: a part for each field, which a record moves by one where it has a value.
    """
    asked = [(op.schema.field(name), how) for name, how in op.fill if not isinstance(how, Constant)]
    cells = [Cells.of(field) for field, _ in asked]
    parts = []
    for cell, (field, _) in zip(cells, asked, strict=True):
        known = train[cell.name][~gaps_of(field, train[cell.name])]
        parts.append(counted((cell.codes(known),), (cell,), (0,)))
    counts, std = noise.release(IMPUTATION, parts, op.fill_sigma), op.fill_sigma * math.sqrt(len(parts))
    return {
        field.name: settled(field, _statistic(cell, _law(cell, count, std), how))
        for cell, count, (field, how) in zip(cells, counts, asked, strict=True)
    }


def without_gaps(op: Statistics, train: Dataset, values: Mapping[str, float]) -> Dataset:
    """`train` as `impute` will make it of the same `values`. Raises DataError as `completed`."""
    rows = np.arange(len(train), dtype=np.int64)
    return completed(Impute(schema=op.schema, fill=op.fill), train, rows, values)[0]


def _law(cells: Cells, counts: NDArray[np.float64], std: float) -> NDArray[np.float64]:
    kept = projected(spanned(counts, cells, std), max(1.0, float(counts.sum())))
    return np.asarray(kept / kept.sum())


def _statistic(cells: Cells, law: NDArray[np.float64], how: Statistic) -> float:
    fullest = int(law.argmax())
    if not cells.ordered:
        return float(fullest)
    middles = cells.at((np.arange(cells.count) + 0.5) / cells.count).astype(np.float64)
    if how == "mean":
        return float(law @ middles)
    if how == "mode":
        return float(middles[fullest])
    before = np.concatenate([[0.0], np.cumsum(law)])
    half = min(int(np.searchsorted(before, 0.5, side="right")) - 1, cells.count - 1)
    within = (0.5 - before[half]) / law[half] if law[half] > 0 else 0.5
    return float(cells.at(np.array([(half + within) / cells.count]))[0])
