"""What a denoiser works on, by modality: content as tensors of a fixed shape, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from synthspec.backend.dataset import Column, Dataset
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.families import NoMechanism
from synthspec.ir.ops import Fit
from synthspec_diffusers.choices import Choices
from synthspec_diffusers.series import SeriesCodec
from synthspec_torch.data.image import ImageCodec
from synthspec_torch.data.layout import Layout
from synthspec_torch.data.mixed import MixedCodec, Uniform

CHOICE_SCALE = 2.0
"""Distance from 0 to the 1 of a one-hot slot, in standard deviations of a number: a choice is made as early as numbers are."""


class Content(Protocol):
    """Content fields as one tensor a record. The shape is [C, H, W] of an image, [C, L] of a series, [d] of a table."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def bound(self) -> float | None:
        """The interval that encoded content lives in, +-bound, where it is bounded: estimates are clipped to it."""

    @property
    def blocks(self) -> tuple[slice, ...]:
        """The slots of each column, where the content is a table."""

    @property
    def choices(self) -> Choices | None:
        """The one-hot blocks, where the content has such."""

    @property
    def spread(self) -> float:
        """The standard deviation of encoded numbers where every field has the uniform law of what the SRef allows."""

    def held(self, columns: Mapping[str, Column]) -> torch.Tensor:
        """What is kept of records before draws, [n, ...]. Raises DataError for values that the SRef does not allow."""

    def placed(self, held: torch.Tensor, uniform: Uniform) -> torch.Tensor:
        """Encoded contents of what is `held`, float32 [n, *shape]; `uniform` says where in its cell a value lies."""

    def decode(self, x: torch.Tensor) -> dict[str, Column]:
        """The columns of [n, *shape]."""

    def write(self, context: Context) -> None:
        """Keep beside the weights what was fitted to the train rows."""


@dataclass(frozen=True, slots=True)
class ImageContent:
    """One image field in [-1, 1]."""

    codec: ImageCodec

    @property
    def shape(self) -> tuple[int, ...]:
        return self.codec.shape

    @property
    def bound(self) -> float | None:
        return 1.0

    @property
    def blocks(self) -> tuple[slice, ...]:
        return ()

    @property
    def choices(self) -> Choices | None:
        return None

    @property
    def spread(self) -> float:
        return math.sqrt(1.0 / 3.0)

    def held(self, columns: Mapping[str, Column]) -> torch.Tensor:
        return self.codec.encode(columns[self.codec.name])

    def placed(self, held: torch.Tensor, uniform: Uniform) -> torch.Tensor:
        del uniform
        return held

    def decode(self, x: torch.Tensor) -> dict[str, Column]:
        return {self.codec.name: self.codec.decode(x)}

    def write(self, context: Context) -> None:
        """The SRef says it all."""


@dataclass(frozen=True, slots=True)
class TableContent:
    """A table of mixed types: numbers as normal scores, choices one-hot around 0 and scaled (`Layout`)."""

    layout: Layout

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.layout.width,)

    @property
    def bound(self) -> float | None:
        return None

    @property
    def blocks(self) -> tuple[slice, ...]:
        return tuple(block.slots for block in self.layout.blocks)

    @property
    def choices(self) -> Choices | None:
        one_hot = tuple(block.slots for block in self.layout.blocks if block.kind == "choice")
        return Choices(one_hot, CHOICE_SCALE) if one_hot else None

    @property
    def spread(self) -> float:
        one = [(b.width, CHOICE_SCALE**2 * (b.width - 1) / b.width**2 if b.kind == "choice" else 1.0)
               for b in self.layout.blocks]  # fmt: skip
        return math.sqrt(sum(width * variance for width, variance in one) / self.layout.width)

    def held(self, columns: Mapping[str, Column]) -> torch.Tensor:
        return self.layout.held(columns)

    def placed(self, held: torch.Tensor, uniform: Uniform) -> torch.Tensor:
        x = self.layout.placed(held, uniform)
        for block in self.layout.blocks:
            if block.kind == "choice":
                x[:, block.slots] = (x[:, block.slots] - 1.0 / block.width) * CHOICE_SCALE
        return x

    def decode(self, x: torch.Tensor) -> dict[str, Column]:
        # The greatest slot of a choice is the same wherever its middle is.
        return self.layout.codec.decode(self.layout.decode(x))

    def write(self, context: Context) -> None:
        self.layout.codec.write(context)


@dataclass(frozen=True, slots=True)
class SeriesContent:
    """Series of a fixed length, each channel standardised by its train rows."""

    codec: SeriesCodec

    @property
    def shape(self) -> tuple[int, ...]:
        return self.codec.shape

    @property
    def bound(self) -> float | None:
        return None

    @property
    def blocks(self) -> tuple[slice, ...]:
        return ()

    @property
    def choices(self) -> Choices | None:
        return None

    @property
    def spread(self) -> float:
        return 1.0

    def held(self, columns: Mapping[str, Column]) -> torch.Tensor:
        return self.codec.encode(columns)

    def placed(self, held: torch.Tensor, uniform: Uniform) -> torch.Tensor:
        del uniform
        return held

    def decode(self, x: torch.Tensor) -> dict[str, Column]:
        return self.codec.decode(x)

    def write(self, context: Context) -> None:
        self.codec.write(context)


def encoded(content: Content, columns: Mapping[str, Column], rng: np.random.Generator) -> torch.Tensor:
    """float32 [n, *shape]. Raises DataError for values that the SRef does not allow."""
    return content.placed(content.held(columns), rng.random)


def fitted_content(op: Fit, train: Dataset) -> Content:
    """The content of `op`, its statistics those of the train rows; under a mechanism what the SRef says."""
    fields, private = op.schema.with_role("content"), not isinstance(op.privacy, NoMechanism)
    match op.schema.modality:
        case "image":
            return ImageContent(ImageCodec.of(fields[0]))
        case "timeseries":
            codec = SeriesCodec.declared(fields) if private else SeriesCodec.fitted(fields, train.columns)
            return SeriesContent(codec)
        case _:
            if private:
                return TableContent(Layout.of(MixedCodec.declared(fields, grown=True)))
            return TableContent(Layout.of(MixedCodec.fitted(fields, train.columns)))


def read_content(op: Fit, engine: Artifact) -> Content:
    """The content as `fitted_content` left it beside the weights."""
    fields = op.schema.with_role("content")
    match op.schema.modality:
        case "image":
            return ImageContent(ImageCodec.of(fields[0]))
        case "timeseries":
            return SeriesContent(SeriesCodec.read(fields, engine))
        case _:
            return TableContent(Layout.of(MixedCodec.read(fields, engine)))
