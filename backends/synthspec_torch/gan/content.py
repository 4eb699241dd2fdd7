"""What a GAN makes: records as the networks see them, the way back to columns, and the features that KID_val is taken of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from synthspec.backend.dataset import Column
from synthspec.backend.draws import Stream, generator
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.schema import Schema
from synthspec.metrics.features import extractor
from synthspec_torch.data.image import ImageCodec
from synthspec_torch.data.kinds import is_mixed
from synthspec_torch.data.layout import Layout
from synthspec_torch.data.mixed import MixedCodec, Uniform
from synthspec_torch.data.table import TableCodec
from synthspec_torch.gan.heads import Head, ImageHead, TableHead

F64 = NDArray[np.float64]


class Content(Protocol):
    """The content fields of a schema."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one record, as the networks see it."""

    @property
    def stored(self) -> Mapping[str, torch.Tensor]:
        """What the map was fitted to, for the file of the weights."""

    def write(self, context: Context) -> None:
        """Write what the map was fitted to and `stored` does not hold."""

    def head(self) -> Head:
        """What bounds the generator's output."""

    def encode(self, columns: Mapping[str, Column]) -> torch.Tensor:
        """Columns in their units to float32 [n, *shape]. Raises DataError for a value that the SRef does not allow."""

    def held(self, columns: Mapping[str, Column]) -> torch.Tensor:
        """What is kept of records before anything is drawn for them, [n, ...]. Raises DataError as `encode` does."""

    def placed(self, held: torch.Tensor, uniform: Uniform) -> torch.Tensor:
        """Contents of what is `held`, float32 [n, *shape]; `uniform` says where in its cell a value lies."""

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

    def write(self, context: Context) -> None:
        del context

    def head(self) -> Head:
        return ImageHead()

    def encode(self, columns: Mapping[str, Column]) -> torch.Tensor:
        return self.codec.encode(columns[self.codec.name])

    def held(self, columns: Mapping[str, Column]) -> torch.Tensor:
        return self.encode(columns)

    def placed(self, held: torch.Tensor, uniform: Uniform) -> torch.Tensor:
        del uniform
        return held

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

    def write(self, context: Context) -> None:
        del context

    def head(self) -> Head:
        return Head()

    def encode(self, columns: Mapping[str, Column]) -> torch.Tensor:
        return torch.from_numpy(self.codec.encode(columns)).float()

    def held(self, columns: Mapping[str, Column]) -> torch.Tensor:
        return self.encode(columns)

    def placed(self, held: torch.Tensor, uniform: Uniform) -> torch.Tensor:
        del uniform
        return held

    def decode(self, x: torch.Tensor) -> tuple[dict[str, Column], int]:
        return self.codec.decode(x.double().numpy())

    def embed(self, x: torch.Tensor) -> F64:
        """The standardised numbers themselves, rounded and clipped as their fields are."""
        return np.asarray(self.codec.encode(self.decode(x)[0])[:, None, :])


@dataclass(frozen=True, slots=True)
class MixedContent:
    """The blocks of a table of mixed types: one-hot choices, and numbers as normal scores."""

    layout: Layout
    seed: int
    """Where a value lies within its cell is drawn once, by this seed; under a mechanism at every step (`placed`)."""

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.layout.width,)

    @property
    def stored(self) -> Mapping[str, torch.Tensor]:
        return {}

    def write(self, context: Context) -> None:
        self.layout.codec.write(context)

    def head(self) -> Head:
        return TableHead(self.layout.blocks, torch.from_numpy(self.layout.shares).log().float())

    def encode(self, columns: Mapping[str, Column]) -> torch.Tensor:
        return self.layout.encode(self.layout.codec.encode(columns), generator(self.seed, Stream.TRAIN, 1))

    def held(self, columns: Mapping[str, Column]) -> torch.Tensor:
        return self.layout.held(columns)

    def placed(self, held: torch.Tensor, uniform: Uniform) -> torch.Tensor:
        return self.layout.placed(held, uniform)

    def decode(self, x: torch.Tensor) -> tuple[dict[str, Column], int]:
        return self.layout.codec.decode(self.layout.decode(x)), 0

    def embed(self, x: torch.Tensor) -> F64:
        """The blocks themselves, scaled so that the inner product of two records over d is its mean over the blocks."""
        scale = (self.layout.width / len(self.layout.blocks)) ** 0.5
        return np.asarray((x.double().numpy() * scale)[:, None, :])


def fitted(schema: Schema, columns: Mapping[str, Column], seed: int) -> Content:
    """The content of `schema`, by the train rows `columns`. Raises DataError for a value that the SRef does not allow."""
    contents = schema.with_role("content")
    if schema.modality == "image":
        return ImageContent(ImageCodec.of(contents[0]))
    if is_mixed(schema):
        return MixedContent(Layout.of(MixedCodec.fitted(contents, columns)), seed)
    return NumberContent(TableCodec.fitted(contents, columns))


def declared(schema: Schema, seed: int) -> Content:
    """The content of `schema` by the SRef alone: no row is looked at. Raises ValueError for a number without a range."""
    contents = schema.with_role("content")
    if schema.modality == "image":
        return ImageContent(ImageCodec.of(contents[0]))
    if is_mixed(schema):
        return MixedContent(Layout.of(MixedCodec.declared(contents, grown=True)), seed)
    return NumberContent(TableCodec.declared(contents))


def blank(schema: Schema, engine: Artifact, seed: int) -> Content:
    """The content of a trained `engine`, but for what its `stored` lacks: that has the right form and no meaning."""
    contents = schema.with_role("content")
    if schema.modality == "image":
        return ImageContent(ImageCodec.of(contents[0]))
    if is_mixed(schema):
        return MixedContent(Layout.of(MixedCodec.read(contents, engine)), seed)
    width = sum(field.size for field in contents)
    return NumberContent(TableCodec(contents, np.zeros(width), np.ones(width)))


def restored(content: Content, stored: Mapping[str, torch.Tensor]) -> Content:
    """`content` with what was `stored` of it."""
    if not isinstance(content, NumberContent):
        return content
    shift, scale = (stored[f"content.{name}"].numpy() for name in ("shift", "scale"))
    return NumberContent(TableCodec(content.codec.fields, shift, scale))
