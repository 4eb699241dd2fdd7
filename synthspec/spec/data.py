"""Section `data`: where the reference data come from and how they are split (P405-9)."""

from typing import Annotated, Literal

from pydantic import Field

from synthspec.spec.base import Duration, Model, Name, Seed, Sha256, Share
from synthspec.spec.sref import Member


class HashSplit(Model):
    """Rows go where the keyed hash of `key` falls: a row keeps its split when others come or go."""

    method: Literal["hash"]
    key: Name
    train: Share
    val: Share
    test: Share
    seed: Seed = 0


class RandomSplit(Model):
    """A seeded permutation of the rows."""

    method: Literal["random"]
    train: Share
    val: Share
    test: Share
    seed: Seed


class TimeSplit(Model):
    """Train before val before test along `key`, with `gap` left out between them."""

    method: Literal["time"]
    key: Name
    train: Share
    val: Share
    test: Share
    gap: Duration | None = None


class ColumnSplit(Model):
    """The data say themselves where each row belongs: `column` holds train, val or test."""

    method: Literal["column"]
    column: str


Split = Annotated[HashSplit | RandomSplit | TimeSplit | ColumnSplit, Field(discriminator="method")]


Transform = Literal["linear", "log", "standard", "quantile", "gmm"]
"""How a field is put before the network: by the range of the SRef (linear, log), or by statistics of the training split."""


Statistic = Literal["mean", "median", "mode"]


class Constant(Model):
    """The value that stands for one that is missing: a member of the enum, or a number in the unit of the field."""

    constant: Member


class Reference(Model):
    """Another table, which a foreign key of the SRef points into (P403-2). `public`: nothing in it is anybody's."""

    source: str = Field(examples=["sites.csv"])
    sha256: Sha256 | None = None
    public: bool = False


class Data(Model):
    """The source, its split, and what is done to a field before training and undone after sampling (P405-7).

    `references` are the tables that foreign keys point into, by name. `impute` fills gaps by the training split alone.
    """

    source: str = Field(examples=["measurements.csv", "sklearn://digits"])
    sha256: Sha256 | None = None
    references: dict[Name, Reference] | None = None
    split: Split | None = None
    transform: dict[Name, Transform] = {}
    impute: Statistic | dict[Name, Statistic | Constant] | None = None
