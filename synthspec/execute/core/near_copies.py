"""S413-2: samples that lie closer to a training record than synthetic data may."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.dataset import Column
from synthspec.ir.schema import Field, Schema

CHUNK_NUMBERS = 1 << 23
"""Numbers of one temporary array: 64 MiB of float64."""
SLACK = 1e-6
"""Matrix products give sums of squares to about 1e-12; what comes within this much of the limit is computed again."""


def near_copies(
    schema: Schema, samples: Mapping[str, Column], training: Mapping[str, Column], tau_nn: float
) -> NDArray[np.bool_]:
    """Which samples have a training record within `tau_nn`.

    The distance is the root of the mean square difference over all content numbers, each on its SRef range mapped to
    [0, 1] (on the range of the training records where none is declared). Two different categories are 1 apart, a gap and
    a value at least 1. The distance is dimensionless.
    """
    fields = [field for field in schema.with_role("content") if field.name in samples]
    synthetic = _scaled(fields, samples, training)
    real = _scaled(fields, training, training)
    near = np.zeros(len(synthetic), bool)
    if not real.size or not synthetic.size:
        return near
    # Sums of squares over the content numbers of a record, where the distance has their mean.
    limit = tau_nn**2 * sum(field.size for field in fields)
    squares = np.einsum("ij,ij->i", real, real)
    size = max(1, CHUNK_NUMBERS // max(len(real), real.shape[1]))
    for begin in range(0, len(synthetic), size):
        near[begin : begin + size] = _near(synthetic[begin : begin + size], real, squares, limit)
    return near


def _near(
    block: NDArray[np.float64], real: NDArray[np.float64], squares: NDArray[np.float64], limit: float
) -> NDArray[np.bool_]:
    """Candidates by matrix product, decided by direct differences: the verdict does not hang on how BLAS rounds."""
    candidates = np.einsum("ij,ij->i", block, block)[:, None] + squares - 2 * (block @ real.T) <= limit + SLACK
    near = np.zeros(len(block), bool)
    for row in np.flatnonzero(candidates.any(axis=1)):
        close = real[candidates[row]]
        near[row] = (np.square(close - block[row]).sum(axis=1) <= limit).any()
    return near


def _scaled(fields: list[Field], columns: Mapping[str, Column], training: Mapping[str, Column]) -> NDArray[np.float64]:
    """One row of numbers a record, in which a squared difference counts as the distance says."""
    rows = len(next(iter(columns.values()), ()))
    parts = [_numbers(field, columns[field.name], training[field.name]).reshape(rows, -1) for field in fields]
    return np.concatenate(parts, axis=1) if parts else np.zeros((rows, 0))


def _numbers(field: Field, column: Column, training: Column) -> NDArray[np.float64]:
    if field.dtype == "categorical":
        # Each category, and the gap, at a corner of a simplex of edge 1.
        corners = np.eye(len(field.enum) + 1) / np.sqrt(2.0)
        return np.asarray(corners[column.astype(np.int64)])
    low, high = field.range or _observed(training)
    values = column.astype(np.float64)
    absent = np.isnan(values)
    scaled = np.where(absent, 0.0, (values - low) / ((high - low) or 1.0))
    if not field.nullable:
        return scaled
    # A gap and a value: 1 apart, whatever the value; two gaps: 0.
    return np.stack([scaled, absent.astype(np.float64)], axis=-1)


def _observed(training: Column) -> tuple[float, float]:
    values = training.astype(np.float64)
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
