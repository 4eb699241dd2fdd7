"""What touched the private data, as values: the typed ledger of releases (privacy.md 1.1, P405-4).

Every scale is relative to what *one unit may contribute* (the clip norm C): a record that is added, removed or blanked
moves the released sum by 1, one that is replaced by another moves it by 2. An event says nothing about adjacency;
whoever asks for eps does, and the doubling happens in one place, `distance`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Adjacency = Literal["zero_out", "add_remove", "replace_one"]
"""Which neighbours are told apart. zero_out (a record is blanked, n is public) has the figures of add_remove."""

MIN_SCALE, MAX_SCALE = 1e-6, 1e6
"""Less noise than the first is none; more than the second is counted as the second. Both err on the safe side."""


@dataclass(frozen=True, slots=True)
class Gaussian:
    """One release of a sum with Gaussian noise of standard deviation `sigma` C. At sigma 0 nothing is protected."""

    sigma: float

    def __post_init__(self) -> None:
        _require(self.sigma >= 0, f"sigma is {self.sigma}")


@dataclass(frozen=True, slots=True)
class PoissonGaussian:
    """S405-8: `steps` releases, each of a Poisson sample: every record is drawn by a coin of probability `rate`.

    `contributions` is how many records of one unit are drawn so, each moving the sum by up to C; 1 where the unit is
    the record, or where a unit is drawn and clipped as a whole.
    """

    rate: float
    sigma: float
    steps: int
    contributions: int = 1

    def __post_init__(self) -> None:
        _require(0 < self.rate <= 1, f"the rate is {self.rate}")
        _require(self.sigma >= 0, f"sigma is {self.sigma}")
        _require(self.steps >= 1, f"steps is {self.steps}")
        _require(self.contributions >= 1, f"contributions is {self.contributions}")


@dataclass(frozen=True, slots=True)
class Laplace:
    """One release with Laplace noise of parameter `scale`, in units of the L1 bound of what one unit contributes."""

    scale: float

    def __post_init__(self) -> None:
        _require(self.scale >= 0, f"the scale is {self.scale}")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A look at private data that nobody has accounted for: eps is infinite, and it is never left out."""

    what: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same event, `times` over."""

    event: Event
    times: int

    def __post_init__(self) -> None:
        _require(self.times >= 0, f"times is {self.times}")


@dataclass(frozen=True, slots=True)
class Composed:
    """All of `events`, on the same data. Empty: the data were never touched."""

    events: tuple[Event, ...] = ()


MAX_RELEASES = 10**15
"""More than that is no plan: it counts as unaccounted for, and overflows nothing."""

Event = Gaussian | PoissonGaussian | Laplace | Unknown | Repeated | Composed
Leaf = Gaussian | PoissonGaussian | Laplace | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """An event in the one form in which equal spendings are equal: n composes of e are ``Repeated(e, n)``."""

    precision: float
    """Sum of 1 / sigma^2 over the Gaussian releases that everyone is in: they compose to one."""
    sampled: tuple[PoissonGaussian, ...]
    """Of rate under 1, each setting once with all its steps."""
    laplace: tuple[tuple[float, int], ...]
    """(scale, how often)."""
    bounded: bool
    """False where some look at the data has no finite eps."""

    @property
    def releases(self) -> int:
        """How many distributions an accountant has to compose."""
        steps = sum(event.steps for event in self.sampled) + sum(times for _, times in self.laplace)
        return steps + (self.precision > 0)

    @property
    def sigma(self) -> float:
        """Of the one Gaussian release that all the unsampled ones amount to. `precision` must not be 0."""
        return 1 / math.sqrt(self.precision)


def ledger(event: Event) -> Ledger:
    """Flatten, merge and order what `event` is made of."""
    counts = Counter[Leaf]()
    for leaf, times in _leaves(event):
        counts[leaf] += times
    precisions: list[float] = []
    sampled, laplace = Counter[PoissonGaussian](), Counter[float]()
    bounded = sum(times * _releases(leaf) for leaf, times in counts.items()) <= MAX_RELEASES
    if not bounded:
        counts.clear()
    for leaf, times in counts.items():
        match leaf:
            case Unknown():
                bounded = False
            case Gaussian(sigma):
                bounded &= sigma >= MIN_SCALE
                precisions += [times / _scale(sigma) ** 2]
            case PoissonGaussian(rate, sigma, steps, k) if rate == 1:
                bounded &= sigma / k >= MIN_SCALE
                precisions += [times * steps / _scale(sigma / k) ** 2]
            case PoissonGaussian(rate, sigma, steps, k):
                bounded &= sigma / k >= MIN_SCALE
                sampled[PoissonGaussian(rate, _scale(sigma), 1, k)] += times * steps
            case Laplace(scale):
                bounded &= scale >= MIN_SCALE
                laplace[_scale(scale)] += times
    merged = [PoissonGaussian(each.rate, each.sigma, steps, each.contributions) for each, steps in sampled.items()]
    return Ledger(
        precision=math.fsum(sorted(precisions)),
        sampled=tuple(sorted(merged, key=lambda each: (each.rate, each.sigma, each.contributions))),
        laplace=tuple(sorted(laplace.items())),
        bounded=bounded,
    )


def distance(adjacency: Adjacency) -> float:
    """How far one unit moves the released sum, in units of C."""
    return 2.0 if adjacency == "replace_one" else 1.0


def _leaves(event: Event) -> Iterator[tuple[Leaf, int]]:
    waiting: list[tuple[Event, int]] = [(event, 1)]  # no recursion: a ledger may be nested as deep as it is long
    while waiting:
        each, times = waiting.pop()
        match each:
            case Composed(events):
                waiting += [(part, times) for part in events]
            case Repeated(part, more):
                waiting.append((part, times * more))
            case _ if times > 0:
                yield each, times


def _releases(leaf: Leaf) -> int:
    return leaf.steps if isinstance(leaf, PoissonGaussian) else 1


def _scale(value: float) -> float:
    return min(max(value, MIN_SCALE), MAX_SCALE)


def _require(condition: bool, but: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Raise ValueError for an event that means nothing; NaN fails every condition."""
    if not condition:
        raise ValueError(f"no release of private data is like this: {but}")
