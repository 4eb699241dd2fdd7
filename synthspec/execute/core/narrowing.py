"""What of numpy's numbers and instants fits into the 64 bits with a sign that columns hold; numpy itself wraps in silence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def signed(raw: NDArray[np.generic]) -> tuple[NDArray[np.int64], Mask]:
    """Integers as int64, and which of them only an unsigned one holds."""
    values = raw.astype(np.int64)
    return values, np.asarray(values < 0) if raw.dtype.kind == "u" else np.zeros(raw.shape, bool)


def fits(values: NDArray[np.float64] | NDArray[np.int64], dtype: np.dtype[np.generic]) -> Mask:
    """Which whole numbers the integer `dtype` holds. As a float 2^63 - 1 is 2^63, which no int64 is."""
    limits = np.iinfo(dtype.name)
    below = values < float(limits.max) + 1.0 if values.dtype.kind == "f" else values <= limits.max
    return np.asarray((values >= limits.min) & below)


def nanoseconds(raw: NDArray[np.generic]) -> tuple[NDArray[np.int64], Mask]:
    """Instants of datetime64 as ns since 1970, and which of them are no whole ns of 1678 to 2261; all where no unit is told."""
    if raw.dtype.str.endswith("M8"):
        return np.zeros(raw.shape, np.int64), np.ones(raw.shape, bool)
    whole = raw.astype("datetime64[ns]")
    return whole.astype(np.int64), np.asarray(whole.astype(raw.dtype) != raw)
