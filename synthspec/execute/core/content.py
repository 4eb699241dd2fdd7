"""Does a column hold what its field allows? The same question for the source and for every sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.dataset import Column
from synthspec.ir.schema import Field


def allowed(field: Field, column: Column) -> NDArray[np.bool_]:
    """Which records hold, in every entry of `field`, a value that its dtype, range, enum and nullability allow.

    Bounds are compared in the precision of the column: a float32 on its bound is inside.
    """
    good = _entries(field, column)
    return np.asarray(good.reshape(len(column), -1).all(axis=1)) if column.size else np.ones(len(column), bool)


def _entries(field: Field, column: NDArray[Any]) -> NDArray[np.bool_]:
    if field.dtype == "categorical":
        least = -1 if field.nullable else 0
        return np.asarray((column >= least) & (column < len(field.enum)))
    if field.dtype == "bool":
        return np.asarray(column <= 1)
    if field.dtype in {"string", "timestamp"}:
        return np.ones(column.shape, bool)
    absent = np.isnan(column) if column.dtype.kind == "f" else np.zeros(column.shape, bool)
    good = np.isfinite(column) if column.dtype.kind == "f" else ~absent
    if field.range is not None:
        low, high = np.asarray(field.range, np.float64).astype(column.dtype if column.dtype.kind == "f" else np.float64)
        good &= (column >= low) & (column <= high)
    if field.enum:
        good &= np.isin(column, np.array([float(member) for member in field.enum if not isinstance(member, str)]))
    return good | absent if field.nullable else good


def missing(field: Field, column: Column) -> NDArray[np.bool_]:
    """Which records lack the value of `field`, or any of its values; text of nothing is one that is missing."""
    if not column.size:
        return np.zeros(len(column), bool)
    if field.dtype == "string":
        return np.asarray(~column.astype(bool).reshape(len(column), -1).any(axis=1))
    if field.dtype == "categorical":
        absent = np.asarray(column.astype(np.int64) < 0)
    else:
        absent = np.isnan(column.astype(np.float64)) if column.dtype.kind == "f" else np.zeros(column.shape, bool)
    return np.asarray(absent.reshape(len(column), -1).any(axis=1))
