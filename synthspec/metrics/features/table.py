"""``table-range-v1``: columns in the SRef's range, categories one-hot. Frozen by the schema, so it reveals no record."""

from __future__ import annotations

import hashlib
import json
import math

import numpy as np

from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.request import Array, Field


class TableRange:
    """The extractor for tables: numbers mapped from [low, high] to [-1, 1], categories to one-hot over sqrt(2).

    Two different categories are then one unit apart, half of a number's whole range.

    Raises:
        UnmeasurableError: a numeric column declares no range.

    """

    def __init__(self, fields: tuple[Field, ...]) -> None:
        if any(f.nullable for f in fields):
            raise UnmeasurableError("a gap has no place in a range; real records to fit the features on are needed")
        open_ended = [f.name for f in fields if not f.levels and (f.low is None or f.high is None or f.low >= f.high)]
        if open_ended:
            raise UnmeasurableError(f"no range is declared for {', '.join(open_ended)}")
        shape = [[f.name, f.low, f.high, f.levels] for f in fields]
        self.sha256 = hashlib.sha256(json.dumps(["table-range-v1", shape]).encode()).hexdigest()
        self.name = f"table-range-v1@{self.sha256[:8]}"
        self.fd_scale = 1.0
        self.dim = sum(f.levels or 1 for f in fields)
        self._fields = fields

    def __call__(self, content: Array) -> Array:
        """Features of shape (n, 1, dim) of rows (n, columns) in the units of the SRef."""
        columns = [_encode(content[:, i], field) for i, field in enumerate(self._fields)]
        return np.concatenate(columns, axis=1)[:, None, :]


def _encode(column: Array, field: Field) -> Array:
    if field.levels:
        return np.asarray((column[:, None] == np.arange(field.levels)) / math.sqrt(2))
    low, high = field.low or 0.0, field.high or 0.0
    return np.asarray(2 * (column - low) / (high - low) - 1)[:, None]
