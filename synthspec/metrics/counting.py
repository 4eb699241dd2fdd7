"""Figures that are counted or set, not estimated: they have no uncertainty."""

from __future__ import annotations

import math

from synthspec.ir.evidence import Figure
from synthspec.metrics.figures import UnmeasurableError, details
from synthspec.metrics.request import Counted

ESTIMATOR = "count"


def measure(counted: Counted) -> Figure:
    """The figure of a count: value and bounds agree, method ``exact``, what was looked at in the details.

    Raises:
        UnmeasurableError: the value is not a number, or nothing was looked at (n = 0): counting no failures among no
            checks proves nothing.

    """
    value = float(counted.value)
    if math.isnan(value):
        raise UnmeasurableError(f"{counted.name} is not a number")
    if counted.n == 0:
        raise UnmeasurableError("nothing was looked at")
    return Figure(
        name=counted.name,
        label=counted.name,
        value=value,
        unit=counted.unit,
        u=0.0,
        lower=value,
        upper=value,
        method="exact",
        details=(*details(n=counted.n), *counted.details),
    )
