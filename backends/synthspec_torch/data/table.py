"""Numeric content as one standardised vector a record, and back (P405-7: the map has an inverse, its log-det is counted).

A column is *quantised* when its dtype is a whole number or its field has a resolution: its values are multiples of a step
q, counted from zero, and a value v stands for the cell [v - q/2, v + q/2). Spread uniformly over its cell, a discrete law
becomes a density p with E log2(p q) at most its own log-likelihood in bits (uniform dequantisation, Theis et al. 2016).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.columns import column_dtype
from synthspec.backend.dataset import Column
from synthspec.backend.protocol import DataError
from synthspec.ir.schema import Field

F64 = NDArray[np.float64]

REACH = 4.8
"""Standardised content stays within +-REACH where its extent is known: maps on a box of +-5 act on all of it."""
FEW_LEVELS = 256
"""A quantised column with at most so many levels reaches as far as its range, not as far as the train rows happen to."""
OFF_GRID = 1e-3
"""Share of a step that a stored value may be off its multiple, beside what its dtype cannot hold."""


@dataclass(frozen=True, eq=False)
class TableCodec:
    """x = (v - shift) / scale for each number of the content fields, flattened in the order of the schema."""

    fields: tuple[Field, ...]
    shift: F64
    """[d], in the fields' units."""
    scale: F64
    """[d], in the fields' units, positive."""

    @classmethod
    def fitted(cls, fields: tuple[Field, ...], columns: Mapping[str, Column]) -> TableCodec:
        """Standardised by the mean and standard deviation of train rows, with extremes kept within `REACH`.

        Raises DataError where `values_of` does, and for a continuous column that has one value only: no density is
        bounded there.
        """
        values, step = values_of(fields, columns), _spread(fields, steps)
        if not len(values):
            raise ValueError("nothing to fit a codec to")
        mean = values.mean(0)
        # A value spread over its cell has the variance of the cell on top (Sheppard).
        std = np.sqrt(values.var(0) + step**2 / 12.0)
        constant = np.flatnonzero(std <= 1e-12 * np.maximum(1.0, np.abs(mean)))
        if len(constant):
            raise DataError(
                "data.constant",
                f"{_owner(fields, int(constant[0]))} has the same value in every train row, so no density fits it",
                "drop the column, or give it a resolution in the SRef",
            )
        few = _spread(fields, _has_few_levels) > 0
        low = np.where(few, _spread(fields, lambda field: ends_of(field)[0]), values.min(0))
        high = np.where(few, _spread(fields, lambda field: ends_of(field)[1]), values.max(0))
        reach = np.maximum(mean - low, high - mean) + step / 2.0
        found = cls(fields, mean, np.maximum(std, reach / REACH))
        return found._by_range()

    def _by_range(self) -> TableCodec:
        """The codec whose linear fields are standardised by their range instead of the train rows."""
        linear = _spread(self.fields, lambda field: float(field.transform == "linear")) > 0
        if not linear.any():
            return self
        low, high = (_spread(self.fields, partial(_end, end)) for end in (0, 1))
        width = (high - low + _spread(self.fields, steps)) / math.sqrt(12.0)
        shift = np.where(linear, (low + high) / 2.0, self.shift)
        return TableCodec(self.fields, shift, np.where(linear, width, self.scale))

    @classmethod
    def declared(cls, fields: tuple[Field, ...]) -> TableCodec:
        """Standardised as the uniform law on the fields' ranges would be: reads no data.

        Raises ValueError for a field without a range.
        """
        if any(field.range is None for field in fields):
            raise ValueError("a codec from the SRef alone needs the range of every field")
        low, high = _spread(fields, lambda field: ends_of(field)[0]), _spread(fields, lambda field: ends_of(field)[1])
        step = _spread(fields, steps)
        return cls(fields, (low + high) / 2.0, (high - low + step) / math.sqrt(12.0))

    @property
    def width(self) -> int:
        """d: numbers of a record."""
        return len(self.shift)

    @property
    def cell(self) -> F64:
        """The steps of quantised columns in standardised units, 0 for continuous ones; [d]."""
        return np.asarray(_spread(self.fields, steps) / self.scale)

    @property
    def nats_in_units(self) -> float:
        """What is added to the standardised NLL of a record for that in the units of the SRef, cells counted as 1.

        The sum of log scale over continuous numbers, and of log(scale / q) over quantised ones.
        """
        step = _spread(self.fields, steps)
        return float(np.log(self.scale).sum() - np.log(step[step > 0]).sum())

    @property
    def nats_standardised(self) -> float:
        """As `nats_in_units`, but with continuous numbers left standardised."""
        step = _spread(self.fields, steps)
        return float((np.log(self.scale) - np.log(np.where(step > 0, step, 1.0)))[step > 0].sum())

    def encode(self, columns: Mapping[str, Column]) -> F64:
        """Columns in their units to [n, d], standardised, at the centres of cells. Raises DataError as `values_of` does."""
        return np.asarray((values_of(self.fields, columns) - self.shift) / self.scale)

    def decode(self, x: F64) -> tuple[dict[str, Column], int]:
        """[n, d] to columns: rounded to the step, clipped to the range; and how many numbers the range had to clip."""
        values = x * self.scale + self.shift
        columns: dict[str, Column] = {}
        clipped = first = 0
        for field in self.fields:
            part = values[:, first : first + field.size]
            first += field.size
            inside = nearest_allowed(field, part)
            clipped += int((np.abs(inside - part) > steps(field) / 2.0 * (1 + 1e-9)).sum())
            columns[field.name] = inside.astype(column_dtype(field)).reshape(len(x), *field.shape)
        return columns, clipped


def steps(field: Field) -> float:
    """The step of a quantised field in its unit; 0 for a continuous one."""
    whole = 1.0 if np.dtype(field.dtype).kind in "iu" else 0.0
    return field.resolution or whole


def values_of(fields: tuple[Field, ...], columns: Mapping[str, Column]) -> F64:
    """The numbers of each record in their units, [n, d].

    Raises DataError for one that is missing, outside the range of its field, or off the grid of its resolution.
    """
    parts = []
    for field in fields:
        part = columns[field.name].astype(np.float64).reshape(len(columns[field.name]), -1)
        check_numbers(field, part)
        parts.append(part)
    return np.concatenate(parts, axis=1)


def check_numbers(field: Field, part: F64) -> None:
    """Raise DataError for a number of `part` [n, size] that is missing, outside the range of `field` or off its grid."""
    dtype = np.dtype(field.dtype)
    # What a dtype holds of 0.1 is not 0.1: ends and multiples are compared as it holds them.
    low, high = np.asarray(ends_of(field)).astype(dtype if dtype.kind == "f" else np.float64).astype(np.float64)
    _require(field, np.isfinite(part) & (part >= low) & (part <= high), "leaves its range or is missing")
    step = steps(field)
    if step:
        held = np.spacing(np.abs(part).astype(dtype)).astype(np.float64) if dtype.kind == "f" else 0.0
        off = np.abs(part - multiples(np.round(part / step), step))
        _require(field, off <= OFF_GRID * step + held, f"is no multiple of its resolution {step:g}")


def _require(field: Field, good: NDArray[np.bool_], what: str) -> None:
    if not good.all():
        row = int(np.argwhere(~good)[0][0])
        raise DataError(
            "data.out-of-range",
            f"{field.name} of row {row} {what}",
            "correct the data, or the range and resolution in the SRef",
        )


def nearest_allowed(field: Field, part: F64) -> F64:
    """`part` rounded to the step of `field` and clipped to its range and dtype."""
    low, high = ends_of(field)
    dtype, step = np.dtype(field.dtype), steps(field)
    if dtype.kind in "iu":
        low, high = max(low, float(np.iinfo(dtype).min)), min(high, float(np.iinfo(dtype).max))
    if step:
        part = multiples(np.round(part / step), step)
        low = math.ceil(low / step - 1e-9) * step if math.isfinite(low) else low
        high = math.floor(high / step + 1e-9) * step if math.isfinite(high) else high
    return np.clip(part, low, high)


def multiples(places: F64, step: float) -> F64:
    """`places` steps: a decimal fraction comes out as the number nearest to it, 3 steps of 0.1 as 0.3."""
    parts = round(1.0 / step) if step < 1.0 else 0
    return places / parts if parts and abs(parts * step - 1.0) < 1e-12 else places * step


def ends_of(field: Field) -> tuple[float, float]:
    """The range of `field`, infinite where it has none."""
    return field.range or (-math.inf, math.inf)


def _end(end: int, field: Field) -> float:
    """An end of the range of a field that is put by it; 0 where that is not asked for."""
    return ends_of(field)[end] if field.transform == "linear" else 0.0


def _has_few_levels(field: Field) -> bool:
    step, (low, high) = steps(field), ends_of(field)
    return step > 0 and (high - low) / step < FEW_LEVELS


def _spread(fields: tuple[Field, ...], of: Callable[[Field], float]) -> F64:
    """What `of` says of each field, for each of its numbers; [d]."""
    return np.concatenate([np.full(field.size, of(field), dtype=np.float64) for field in fields])


def _owner(fields: tuple[Field, ...], number: int) -> str:
    """The name of the field that the number at place `number` belongs to."""
    owners = [field.name for field in fields for _ in range(field.size)]
    return owners[number]
