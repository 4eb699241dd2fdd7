"""Evidence: what was measured, with everything a reader needs to believe it (P405-9, App D record form)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scalar = str | int | float | bool
Split = Literal["train", "val", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number and its credentials.

    `name` is the standard's name (``FID``, ``KID``, ``latency_ms_p99``); `label` says exactly what was computed
    (``FD[randcnn-v1@1f0c9a3e]``). A figure that could not be computed has ``value=None`` and says why in `reason`; it is
    never replaced by a number.
    """

    name: str
    label: str
    value: float | None
    unit: str = "1"
    u: float | None = None
    """Standard uncertainty u_c of `value`, in `unit`."""
    lower: float | None = None
    """The bound that a claim "at least" is judged at (95 % one-sided unless `details` says otherwise)."""
    upper: float | None = None
    """The bound that a claim "at most" is judged at."""
    method: str = ""
    """Where u and the bounds come from: ``bootstrap``, ``disjoint-blocks``, ``binomial``, ``order-statistic``, ``exact``."""
    n_real: int | None = None
    n_syn: int | None = None
    split: Split | None = None
    """The split of the real data it was measured against."""
    null: float | None = None
    """The same metric between two halves of the real split: what a perfect generator would still show."""
    details: tuple[tuple[str, Scalar], ...] = ()
    reason: str = ""

    def detail(self, key: str) -> Scalar | None:
        """The value of one entry of `details`, or None."""
        return dict(self.details).get(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All figures of one run, sorted by name, one of each name."""

    figures: tuple[Figure, ...]

    def get(self, name: str) -> Figure | None:
        """The figure called `name`, or None when it was not measured."""
        return next((figure for figure in self.figures if figure.name == name), None)


def evidence(figures: tuple[Figure, ...]) -> Evidence:
    """Sort `figures` into an `Evidence`.

    Raises:
        ValueError: two figures claim the same name.

    """
    names = [figure.name for figure in figures]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"measured twice under one name: {', '.join(twice)}")
    return Evidence(figures=tuple(sorted(figures, key=lambda figure: figure.name)))
