"""Bounds that were seen, widened outward to round numbers."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

Bound = int | float


def outward(low: Bound, high: Bound) -> tuple[Bound, Bound]:
    """Round numbers at or beyond `low` < `high`, in steps of the power of ten just below their distance.

    6.98 and 28.1 give 0 and 30. What is never below zero stays so; integers stay integers.
    """
    span = Decimal(str(high)) - Decimal(str(low))
    whole = isinstance(low, int) and isinstance(high, int)
    step = Decimal(10) ** (max(span.adjusted(), 0) if whole else span.adjusted())
    below = (Decimal(str(low)) / step).to_integral_value(ROUND_FLOOR) * step
    above = (Decimal(str(high)) / step).to_integral_value(ROUND_CEILING) * step
    if whole:
        return int(below), int(above)
    return _written(below, low), _written(above, high)


def _written(number: Decimal, otherwise: Bound) -> Bound:
    """`number` as a person writes it: whole where it is, while that is short; `otherwise` where it is no finite float."""
    value = float(number)
    if not math.isfinite(value):
        return otherwise
    return int(value) if value.is_integer() and abs(value) < 1e9 else value
