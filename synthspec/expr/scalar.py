"""The operators and functions on plain floats. Total: what has no value is NaN or an infinity, as IEEE 754 says.

Used for constants at compile time, for monitors, and as the oracle of the vectorised table.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

Operation = Callable[..., Any]
INF, NAN = math.inf, math.nan


def _divide(a: float, b: float) -> float:
    if b:
        return a / b
    return NAN if a == 0 or math.isnan(a) or math.isnan(b) else math.copysign(INF, a) * math.copysign(1.0, b)


def _power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return -INF if a < 0 and b % 2 == 1 else INF
    except ValueError:  # zero to a negative power, or a root of a negative number
        return NAN if a else math.copysign(INF, a) if b % 2 == 1 else INF


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return INF


def _logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    def total(x: float) -> float:
        return function(x) if x > 0 else -INF if x == 0 else NAN

    return total


def _wave(function: Callable[[float], float]) -> Callable[[float], float]:
    def total(x: float) -> float:
        return NAN if math.isinf(x) else function(x)

    return total


def _sqrt(x: float) -> float:
    return math.sqrt(x) if x >= 0 else NAN


def _signed(value: float) -> tuple[float, float]:
    """The order of `minimum` and `maximum` in IEEE 754: -0 is below 0."""
    return value, math.copysign(1.0, value)


def _least(*values: float) -> float:
    return NAN if any(map(math.isnan, values)) else min(values, key=_signed)


def _most(*values: float) -> float:
    return NAN if any(map(math.isnan, values)) else max(values, key=_signed)


def _clip(x: float, low: float, high: float) -> float:
    return _least(_most(x, low), high)


def is_null(value: object) -> bool:
    """Whether a cell is empty: None or NaN."""
    return value is None or value != value  # noqa: PLR0124


def _length(value: str | None) -> float:
    return NAN if is_null(value) else float(len(value or ""))


SCALAR: dict[str, Operation] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "^": _power,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": operator.not_,
    "neg": operator.neg,
    "abs": abs,
    "min": _least,
    "max": _most,
    "sqrt": _sqrt,
    "exp": _exp,
    "log": _logarithm(math.log),
    "log10": _logarithm(math.log10),
    "sin": _wave(math.sin),
    "cos": _wave(math.cos),
    "tanh": math.tanh,
    "clip": _clip,
    "where": lambda condition, a, b: a if condition else b,
    "isnull": is_null,
    "len": _length,
}


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean, summed without loss."""
    return _sum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """The sample standard deviation (n - 1); NaN for fewer than two values."""
    if len(values) < 2:
        return NAN
    centre = mean(values)
    return _sqrt(_sum([(value - centre) * (value - centre) for value in values]) / (len(values) - 1))


def quantile(values: Sequence[float], level: float) -> float:
    """The `level` quantile by linear interpolation (type 7); NaN when a value is."""
    if any(map(math.isnan, values)):
        return NAN
    ordered = sorted(values)
    place = level * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    low, high = ordered[below], ordered[above]
    return low if low == high else low + (high - low) * (place - below)


def best(values: Sequence[float], direction: str) -> float:
    """The smallest (`min`) or largest (`max`) value so far; what is NaN was never the best."""
    real = [value for value in values if not math.isnan(value)]
    if not real:
        return NAN
    return min(real) if direction == "min" else max(real)


def _sum(values: Sequence[float]) -> float:
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # beyond the largest double, or infinities of both signs
        return sum(values)
