"""What a GAN makes: records as the networks see them, the way back to columns, and the features that KID_val is taken of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from synthspec.backend.dataset import Column
from synthspec.ir.schema import Schema
from synthspec.metrics.features import extractor
from synthspec_torch.data.image import ImageCodec
from synthspec_torch.data.table import TableCodec

F64 = NDArray[np.float64]


class Content(Protocol):
    """The content fields of a schema."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one record, as the networks see it."""

    @property
    def stored(self) -> Mapping[str, torch.Tensor]:
        """What the map was fitted to, for the file of the weights."""

    def head(self) -> nn.Module:
        """What bounds the generator's output."""

    def encode(self, columns: Mapping[str, Column]) -> torch.Tensor:
        """Columns in their units to float32 [n, *shape]. Raises DataError for a value that the SRef does not allow."""

    def decode(self, x: torch.Tensor) -> tuple[dict[str, Column], int]:
        """[n, *shape] to columns that the SRef allows, and how many numbers its ranges had to clip."""

    def embed(self, x: torch.Tensor) -> F64:
        """Features [n, extractors, d] of what x decodes to."""


@dataclass(frozen=True, slots=True)
class ImageContent:
    """One image in [-1, 1]."""

    codec: ImageCodec

    @property
    def shape(self) -> tuple[int, ...]:
        return self.codec.shape

    @property
    def stored(self) -> Mapping[str, torch.Tensor]:
        return {}

    def head(self) -> nn.Module:
        return nn.Tanh()

    def encode(self, columns: Mapping[str, Column]) -> torch.Tensor:
        return self.codec.encode(columns[self.codec.name])

    def decode(self, x: torch.Tensor) -> tuple[dict[str, Column], int]:
        return {self.codec.name: self.codec.decode(x)}, 0

    def embed(self, x: torch.Tensor) -> F64:
        """By the frozen network that the figures of the evaluation use (P412-1)."""
        shown = self.codec.encode(self.codec.decode(x)).double().numpy()
        return np.asarray(extractor("image", (), self.shape)(shown))


@dataclass(frozen=True, slots=True)
class NumberContent:
    """The numbers of a record, standardised."""

    codec: TableCodec

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.codec.width,)

    @property
    def stored(self) -> Mapping[str, torch.Tensor]:
        return {
            "content.shift": torch.from_numpy(self.codec.shift.copy()),
            "content.scale": torch.from_numpy(self.codec.scale.copy()),
        }

    def head(self) -> nn.Module:
        return nn.Identity()

    def encode(self, columns: Mapping[str, Column]) -> torch.Tensor:
        return torch.from_numpy(self.codec.encode(columns)).float()

    def decode(self, x: torch.Tensor) -> tuple[dict[str, Column], int]:
        return self.codec.decode(x.double().numpy())

    def embed(self, x: torch.Tensor) -> F64:
        """The standardised numbers themselves, rounded and clipped as their fields are."""
        return self.codec.encode(self.decode(x)[0])[:, None, :]


def fitted(schema: Schema, columns: Mapping[str, Column]) -> Content:
    """The content of `schema`, its numbers standardised by the train rows `columns`. Raises DataError."""
    contents = schema.with_role("content")
    if schema.modality == "image":
        return ImageContent(ImageCodec.of(contents[0]))
    return NumberContent(TableCodec.fitted(contents, columns))


def empty(schema: Schema) -> Content:
    """The content of `schema` as if nothing had been fitted: what `stored` looks like."""
    contents = schema.with_role("content")
    if schema.modality == "image":
        return ImageContent(ImageCodec.of(contents[0]))
    width = sum(field.size for field in contents)
    return NumberContent(TableCodec(contents, np.zeros(width), np.ones(width)))


def restored(schema: Schema, stored: Mapping[str, torch.Tensor]) -> Content:
    """The content whose `stored` was read back."""
    contents = schema.with_role("content")
    if schema.modality == "image":
        return ImageContent(ImageCodec.of(contents[0]))
    return NumberContent(TableCodec(contents, stored["content.shift"].numpy(), stored["content.scale"].numpy()))
