"""Images between the units of their SRef and the interval [-1, 1] that networks see (P405-7: the map has an inverse)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from synthspec.backend.dataset import Column
from synthspec.backend.protocol import DataError
from synthspec.ir.schema import Field


@dataclass(frozen=True, slots=True)
class ImageCodec:
    """The map x = 2 (v - lo) / (hi - lo) - 1 of one content field, and its inverse.

    `decode` rounds to the field's resolution (1 for whole-number dtypes), counted from zero, and clips into the range.
    """

    name: str
    dtype: np.dtype[np.generic]
    stored: tuple[int, ...]
    """Shape of a record in the data."""
    lo: float
    hi: float
    resolution: float | None

    @classmethod
    def of(cls, field: Field) -> ImageCodec:
        """The codec of a field that `image_reasons` accepts. Raises ValueError for a field without a range."""
        if field.range is None:
            raise ValueError(f"{field.name} has no range")
        dtype = np.dtype(field.dtype)
        whole = 1.0 if dtype.kind in "iu" else None
        return cls(field.name, dtype, field.shape, *field.range, field.resolution or whole)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        channels, height, width = self.stored if len(self.stored) == 3 else (1, *self.stored)
        return channels, height, width

    def encode(self, column: Column) -> torch.Tensor:
        """Values in the field's unit, [n, *stored], to float32 [n, C, H, W] in [-1, 1].

        Raises DataError for a value that is missing or outside the range.
        """
        values = column.astype(np.float64)
        inside = (values >= self.lo) & (values <= self.hi)
        if not inside.all():
            row = int(np.argwhere(~inside)[0][0])
            raise DataError(
                "data.out-of-range",
                f"{self.name} of row {row} leaves its range [{self.lo:g}, {self.hi:g}] or is missing",
                "correct the data, or widen the range in the SRef",
            )
        scaled = (2.0 * (values - self.lo) / (self.hi - self.lo) - 1.0).astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(scaled.reshape(len(values), *self.shape)))

    def decode(self, x: torch.Tensor) -> Column:
        """Float [n, C, H, W] to the field's dtype, unit, resolution and range, [n, *stored]."""
        values: NDArray[np.float64] = x.detach().cpu().numpy().astype(np.float64)
        values = self.lo + (values + 1.0) * 0.5 * (self.hi - self.lo)
        lo, hi = self.lo, self.hi
        if self.resolution is not None:
            step = self.resolution
            values = np.round(values / step) * step
            lo, hi = math.ceil(lo / step - 1e-9) * step, math.floor(hi / step + 1e-9) * step
        return np.clip(values, lo, hi).astype(self.dtype).reshape(len(values), *self.stored)
