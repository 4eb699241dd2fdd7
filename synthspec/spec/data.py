"""Section `data`: where the reference data come from and how they are split (P405-9)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from synthspec.spec.base import Duration, Model, Name, Seed, Sha256, Share


class _Shares(Model):
    train: Share
    val: Share
    test: Share


class HashSplit(_Shares):
    """Rows go where the keyed hash of `key` falls: a row keeps its split when others come or go."""

    method: Literal["hash"]
    key: Name
    seed: Seed = 0


class RandomSplit(_Shares):
    """A seeded permutation of the rows."""

    method: Literal["random"]
    seed: Seed


class TimeSplit(_Shares):
    """Train before val before test along `key`, with `gap` left out between them."""

    method: Literal["time"]
    key: Name
    gap: Duration | None = None


class ColumnSplit(Model):
    """The data say themselves where each row belongs: `column` holds train, val or test."""

    method: Literal["column"]
    column: str


Split = Annotated[HashSplit | RandomSplit | TimeSplit | ColumnSplit, Field(discriminator="method")]


class Data(Model):
    """The source and its split."""

    source: str = Field(examples=["measurements.csv", "sklearn://digits"])
    sha256: Sha256 | None = None
    split: Split | None = None
