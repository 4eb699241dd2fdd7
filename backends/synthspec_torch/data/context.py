"""Condition variables as one vector a record: members of an enum one-hot, numbers standardised (P405-2)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.columns import stored_members
from synthspec.backend.dataset import Column
from synthspec.backend.protocol import DataError
from synthspec.ir.schema import Field, Schema

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ContextCodec:
    """The context of records with the condition `fields`, in that order."""

    fields: tuple[Field, ...]
    shift: F64
    """[fields], the means of numbers in the train rows; 0 for enums."""
    scale: F64
    """[fields], their standard deviations; 1 for enums and for a number that never changes."""

    @classmethod
    def fitted(cls, schema: Schema, names: tuple[str, ...], columns: Mapping[str, Column]) -> ContextCodec:
        """The codec of the conditions `names`, its numbers standardised by the train rows `columns`.

        Raises DataError for a number that is missing.
        """
        fields = tuple(schema.field(name) for name in names)
        moments = [
            _declared(field) if field.enum or field.transform == "linear" else _moments(field, columns[field.name])
            for field in fields
        ]
        table = np.array(moments, dtype=np.float64).reshape(-1, 2)
        return cls(fields, table[:, 0], table[:, 1])

    @classmethod
    def declared(cls, schema: Schema, names: tuple[str, ...]) -> ContextCodec:
        """The codec by the SRef alone, numbers standardised as the uniform law on their range: reads no data.

        Raises ValueError for a number without a range.
        """
        fields = tuple(schema.field(name) for name in names)
        table = np.array([_declared(field) for field in fields], dtype=np.float64).reshape(-1, 2)
        return cls(fields, table[:, 0], table[:, 1])

    @property
    def width(self) -> int:
        """Numbers of a context; 0 without conditions."""
        return sum(len(field.enum) or 1 for field in self.fields)

    def encode(self, columns: Mapping[str, Column], records: int) -> F64:
        """The contexts of `records` records, [records, width]; a missing category is no member, all zeros.

        Raises DataError for a number that is missing.
        """
        parts = list(self._parts(columns))
        return np.concatenate(parts, axis=1) if parts else np.zeros((records, 0))

    def _parts(self, columns: Mapping[str, Column]) -> Iterator[F64]:
        for field, shift, scale in zip(self.fields, self.shift, self.scale, strict=True):
            column = columns[field.name]
            if field.enum:
                yield np.asarray(column[:, None] == np.asarray(stored_members(field)), dtype=np.float64)
            else:
                yield ((_numbers(field, column) - shift) / scale)[:, None]


def _numbers(field: Field, column: Column) -> F64:
    values = column.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise DataError(
            "data.out-of-range",
            f"the condition {field.name} of row {int(bad[0])} is missing",
            "complete the data, or drop the condition",
        )
    return values


def _declared(field: Field) -> tuple[float, float]:
    if field.enum or field.dtype == "bool":
        return 0.0, 1.0
    if field.range is None:
        raise ValueError(f"{field.name} has no range in the SRef")
    low, high = field.range
    return (low + high) / 2.0, (high - low) / math.sqrt(12.0) or 1.0


def _moments(field: Field, column: Column) -> tuple[float, float]:
    values = _numbers(field, column)
    return float(values.mean()), float(values.std()) or 1.0
