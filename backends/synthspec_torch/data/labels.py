"""Several categorical conditions as one class label (P405-2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.dataset import Column
from synthspec.ir.schema import Field


@dataclass(frozen=True, slots=True)
class Labels:
    """The mixed-radix number of the conditions' codes, first condition first.

    The label `null`, one past the last combination, stands for no condition (S405-6); a record with a missing
    condition carries it too.
    """

    fields: tuple[Field, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(len(field.enum) for field in self.fields)

    @property
    def null(self) -> int:
        """The label of no condition: the number of combinations."""
        total = 1
        for size in self.sizes:
            total *= size
        return total

    def encode(self, codes: Mapping[str, Column]) -> NDArray[np.int64]:
        """Codes by condition, each [n], to labels [n]. Raises KeyError when a condition has no column."""
        columns = [codes[field.name].astype(np.int64) for field in self.fields]
        label = np.zeros_like(columns[0])
        for column, size in zip(columns, self.sizes, strict=True):
            label = label * size + column
        return np.where(np.logical_or.reduce([column < 0 for column in columns]), self.null, label)
