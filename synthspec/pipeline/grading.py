"""The grade of a replay: bitwise, numeric, statistical, or none of them (security study 6.1)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_evidence import ContractEntry, Metric

Grade = Literal["bitwise", "numeric", "statistical", "differs"]
GRADES: tuple[Grade, ...] = ("bitwise", "numeric", "statistical", "differs")
"""Best first."""
TOLERANCE = 1e-4
"""How far a number may be from the signed one, in units of the range of its array, where nothing else is stated."""
EXPANSION = 2.0
"""Standard uncertainties on the side of a figure that has no bound of its own (k of the GUM, about 95 %)."""
_ROUNDING = 1e-9
_TIMED = "latency_"
"""What the names of figures begin with that a clock gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A figure that a contract is judged by: the interval it was signed with, and what the replay measured."""

    name: str
    lower: float
    upper: float
    then: float | None
    now: float | None
    timed: bool = False
    """It tells of the machine as much as of the engine: listed, and held to its contract alone."""

    @property
    def within(self) -> bool:
        if self.timed or self.then is None or self.now is None:
            return self.timed or self.then is self.now
        margin = _ROUNDING * max(1.0, abs(self.then))
        return self.lower - margin <= self.now <= self.upper + margin


def stands(then: Manifest, now: Manifest) -> tuple[Stand, ...]:
    """Every figure that a contract of `then` has a bound on, sorted by name, with what `now` has for it.

    The interval is the stated bounds; a side without one reaches `EXPANSION` standard uncertainties, and without those
    a figure stands for itself where neither side is stated, and has no limit on that side where the other is.
    """
    judged = {bound.metric for contract in then.contracts for bound in contract.bounds}
    after = {metric.name: metric for metric in now.metrics}
    found = {metric.name: metric for metric in then.metrics if metric.name in judged}
    return tuple(_stand(found[name], after.get(name)) for name in sorted(found))


def _stand(then: Metric, now: Metric | None) -> Stand:
    lower, upper = _interval(then)
    same = now is not None and now.unit == then.unit and now.label == then.label
    return Stand(
        name=then.name,
        lower=lower,
        upper=upper,
        then=then.value,
        now=now.value if now is not None and same else None,
        timed=then.name.startswith(_TIMED) and same,
    )


def _interval(figure: Metric) -> tuple[float, float]:
    value = math.nan if figure.value is None else figure.value
    alone = figure.lower is None and figure.upper is None
    reach = EXPANSION * figure.u if figure.u is not None else (0.0 if alone else math.inf)
    lower = value - reach if figure.lower is None else figure.lower
    upper = value + reach if figure.upper is None else figure.upper
    # A bound for a claim may leave the value itself outside by a rounding; the value always agrees with itself.
    return min(lower, value), max(upper, value)


def turned(then: Manifest, now: Manifest) -> tuple[str, ...]:
    """The contracts that came out otherwise, as ``C40-511: held then, broken now``."""
    return tuple(_turned(then.contracts, now.contracts))


def _turned(then: tuple[ContractEntry, ...], now: tuple[ContractEntry, ...]) -> Iterator[str]:
    after = {entry.id: entry.result for entry in now}
    for entry in then:
        result = after.get(entry.id, "absent")
        if result != entry.result:
            yield f"{entry.id}: {entry.result} then, {result} now"
