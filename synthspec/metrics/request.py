"""What is to be measured: arrays and their declared meaning. The only thing the metrics know about a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.scores import Scores
from synthspec.ir.evidence import Split
from synthspec.metrics.figures import UnmeasurableError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One content field of the SRef as it stands in the arrays.

    A picture has one field. In a table every column is one; a categorical column holds the codes 0..levels-1.
    """

    name: str
    low: float | None = None
    """The SRef's range in the units of the array; None where none is declared."""
    high: float | None = None
    levels: int = 0
    """Number of categories; 0 for a number."""
    nullable: bool = False
    """Whether a record may lack it: NaN for a number, the code -1 for a category."""
    resolution: float | None = None
    """The step of its values, 1 for integers: digits beyond it come from a file format, not from the data."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sample:
    """Records: content of shape (n, ...) in the SRef's own range, and one label a record.

    For real data the label is the condition class; for synthetic data the class that was *requested*.
    """

    content: NDArray[Any]
    labels: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.content)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Latencies:
    """Durations of timed requests in nanoseconds, shape (n,), after `warm_up` untimed ones, and how they were timed."""

    nanoseconds: NDArray[np.int64]
    warm_up: int
    threads: int
    batch: int = 1
    """Records a request."""
    device: str = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A number that was counted or set, not estimated: `value` of `n` looked at."""

    name: str
    value: float
    n: int | None = None
    unit: str = "1"
    details: tuple[tuple[str, str | int | float | bool], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part of the uncertainty of one metric that no resampling of these records shows (P40E-3)."""

    metric: str
    kind: Literal["u_model", "u_dp", "u_align"]
    """Training with other seeds, the noise of a mechanism, the alignment of clocks."""
    u: float
    """Standard uncertainty in the unit of the metric."""
    method: str = ""


class Extractor(Protocol):
    """A frozen map from content to features (P412-1)."""

    @property
    def name(self) -> str:
        """``name@sha256[:8]``: part of the label of every figure that rests on it."""

    @property
    def sha256(self) -> str:
        """Of the whole definition, or of the weights file."""

    @property
    def fd_scale(self) -> float:
        """The factor on the features under the Frechet distance."""

    def __call__(self, content: Array) -> Array:
        """Features of shape (n, views, dim) of pictures in [-1, 1] or table rows in the SRef's units.

        FID is averaged over views, the other metrics use them side by side.
        """


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Given:
    """Features that a backend computed of these very records, in their order: an extractor that cannot see others."""

    name: str
    sha256: str
    parts: Mapping[str, Array]
    """(n, 1, dim) by split, and under ``synthetic``."""
    fd_scale: float = 1.0
    input: str = ""
    """What was done to content before the network saw it, in words: it is part of what a distance means."""

    def __call__(self, content: Array) -> Array:
        """Raises UnmeasurableError: content that no node has embedded has no features here."""
        raise UnmeasurableError(f"{self.name} saw the records of the run only, not these {len(content)}")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Request:
    """Everything that `measure` may use. What is left out makes the figures that need it unproven.

    `seed` drives every resampling, split and subsample; the same request gives the same figures.
    """

    modality: str
    fields: tuple[Field, ...]
    seed: int
    train: Sample | None = None
    val: Sample | None = None
    test: Sample | None = None
    synthetic: Sample | None = None
    classes: tuple[Any, ...] = ()
    """The values of the condition, in the order of the SRef; empty where there is no categorical condition."""
    extractor: Extractor | None = None
    """Features other than the embedded ones, such as a network whose weights were checked by their digest."""
    reference: Split = "test"
    members: Split = "train"
    non_members: Split = "val"
    latencies: Latencies | None = None
    counted: tuple[Counted, ...] = ()
    target: str = ""
    """The content field that TSTR and TRTR predict; empty for the condition class."""
    components: tuple[Component, ...] = ()
    knows: Literal["samples", "engine"] = "samples"
    """What the attacker has whom MI covers."""
    scores: Mapping[Split, Scores] = field(default_factory=dict)
    """What the engine says of single records, for the membership attack; empty without an engine that says anything."""

    def split(self, name: Split) -> Sample | None:
        """The real records of one split."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]
