"""Which rows are the same in some columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.dataset import Column


def row_ids(columns: Sequence[Column], rows: int) -> NDArray[np.intp]:
    """A number a row; two rows have the same one exactly when all their bytes in `columns` are the same."""
    if not columns or not rows:
        return np.zeros(rows, np.intp)
    parts = [np.ascontiguousarray(column).view(np.uint8).reshape(rows, -1) for column in columns]
    joined = np.ascontiguousarray(np.concatenate(parts, axis=1))
    _, ids = np.unique(joined.view(f"V{joined.shape[1]}").ravel(), return_inverse=True)
    return ids
