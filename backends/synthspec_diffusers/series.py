"""Series of a fixed length as one standardised [C, L] tensor a record, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from synthspec.backend.columns import column_dtype
from synthspec.backend.dataset import Column
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.schema import Field
from synthspec_torch.data.table import check_numbers, nearest_allowed
from synthspec_torch.weights import load_weights, save_weights

F64 = NDArray[np.float64]
CHANNELS = "weights/channels.safetensors"
"""The moments of the channels, beside the weights of the network that was trained on them."""


@dataclass(frozen=True, eq=False)
class SeriesCodec:
    """x = (v - shift) / scale for each channel; the channels of all content fields, in the order of the schema."""

    fields: tuple[Field, ...]
    shift: F64
    """[C], in the units of the channels."""
    scale: F64
    """[C], positive; 1 for a channel that never changes."""

    @classmethod
    def fitted(cls, fields: tuple[Field, ...], columns: Mapping[str, Column]) -> SeriesCodec:
        """The codec whose channels have mean 0 and variance 1 on the train rows `columns`."""
        values = _values(fields, columns)
        spread = values.std((0, 2))
        return cls(fields, values.mean((0, 2)), np.where(spread > 0, spread, 1.0))

    @classmethod
    def declared(cls, fields: tuple[Field, ...]) -> SeriesCodec:
        """Standardised as the uniform law on the fields' ranges would be: reads no data.

        Raises ValueError for a field without a range.
        """
        ranges = [field.range for field in fields for _ in range(channels_of(field))]
        ends = [pair for pair in ranges if pair is not None]
        if len(ends) < len(ranges):
            raise ValueError("a codec from the SRef alone needs the range of every field")
        low, high = np.asarray(ends, dtype=np.float64).T
        return cls(fields, (low + high) / 2.0, np.where(high > low, (high - low) / np.sqrt(12.0), 1.0))

    @property
    def shape(self) -> tuple[int, int]:
        """Channels, length."""
        return sum(channels_of(field) for field in self.fields), self.fields[0].shape[-1]

    def encode(self, columns: Mapping[str, Column]) -> torch.Tensor:
        """float32 [n, C, L]. Raises DataError for a value that is missing, off its range or off its resolution."""
        x = (_values(self.fields, columns) - self.shift[:, None]) / self.scale[:, None]
        return torch.from_numpy(x.astype(np.float32))

    def decode(self, x: torch.Tensor) -> dict[str, Column]:
        """The columns of [n, C, L]: rounded to the resolution, clipped to the range."""
        values = x.detach().cpu().double().numpy() * self.scale[:, None] + self.shift[:, None]
        columns: dict[str, Column] = {}
        first = 0
        for field in self.fields:
            part = values[:, first : first + channels_of(field)]
            first += channels_of(field)
            kept = nearest_allowed(field, part)
            columns[field.name] = kept.astype(column_dtype(field)).reshape(len(part), *field.shape)
        return columns

    def write(self, context: Context) -> None:
        """Write the moments to `CHANNELS`."""
        stored = {"shift": torch.from_numpy(self.shift), "scale": torch.from_numpy(self.scale)}
        save_weights(context.out / CHANNELS, stored)

    @classmethod
    def read(cls, fields: tuple[Field, ...], engine: Artifact) -> SeriesCodec:
        """What `write` left. Raises WeightsError for a file with other channels."""
        count = sum(channels_of(field) for field in fields)
        like = {"shift": torch.zeros(count).double(), "scale": torch.zeros(count).double()}
        stored = load_weights(engine.path(CHANNELS), like)
        return cls(fields, stored["shift"].numpy(), stored["scale"].numpy())


def channels_of(field: Field) -> int:
    """Channels of a series field: its first axis, or one where it has only its length."""
    return field.shape[0] if len(field.shape) == 2 else 1


def _values(fields: tuple[Field, ...], columns: Mapping[str, Column]) -> F64:
    """The channels of each record in their units, [n, C, L]."""
    parts = []
    for field in fields:
        part = columns[field.name].astype(np.float64)
        check_numbers(field, part.reshape(len(part), -1))
        parts.append(part.reshape(len(part), channels_of(field), field.shape[-1]))
    return np.concatenate(parts, axis=1)
