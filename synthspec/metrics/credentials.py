"""Uncertainty with its components kept apart (P40E-2, P40E-3): ``u_c^2 = sum u_i^2``, ``U = k u_c``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence

from synthspec.ir.evidence import Figure
from synthspec.metrics.figures import Z95
from synthspec.metrics.request import Component

COVERAGE_FACTOR = 2.0
"""k of the expanded uncertainty (App E)."""


def credited(figure: Figure, estimator: str, components: Iterable[Component] = ()) -> Figure:
    """`figure` with its estimator, its components of uncertainty, and the expanded U in its details.

    What the metric reports is sampling: which records were drawn. Each component adds to u in squares, and to the
    distance of each bound from the value in squares with 1.645 times itself. Nothing is taken for zero that was not
    looked at: a component that nobody gave is not listed.
    """
    if figure.value is None or figure.u is None:
        return dataclasses.replace(figure, details=(*figure.details, ("estimator", estimator)))
    others = [part for part in components if part.metric == figure.name]
    more = math.sqrt(sum(part.u**2 for part in others))
    u = math.hypot(figure.u, more)
    listed = [("u_sampling", figure.u), *((part.kind, part.u) for part in others)]
    methods = [(f"{part.kind}.method", part.method) for part in others if part.method]
    return dataclasses.replace(
        figure,
        u=u,
        lower=_widened(figure.value, figure.lower, -more),
        upper=_widened(figure.value, figure.upper, more),
        details=(
            *figure.details,
            ("estimator", estimator),
            *listed,
            *methods,
            ("coverage_factor", COVERAGE_FACTOR),  # `k` is taken: the neighbours of a manifold
            ("U", COVERAGE_FACTOR * u),
        ),
    )


def model_component(metric: str, values: Sequence[float]) -> Component:
    """u_model of a metric from its values for the records of engines that differ in their seeds alone.

    It is the standard deviation over seeds, not of their mean: what is released is one engine. Part of it is sampling,
    which is then counted twice, on the safe side.

    Raises:
        ValueError: fewer than two values.

    """
    if len(values) < 2:
        raise ValueError("a spread needs two values")
    mean = math.fsum(values) / len(values)
    u = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return Component(metric=metric, kind="u_model", u=u, method=f"sd over {len(values)} seeds")


def _widened(value: float, bound: float | None, more: float) -> float | None:
    """`bound` moved away from `value`, downwards for a negative `more`; the distance that it has counts in squares."""
    if bound is None or not more:
        return bound
    return value + math.copysign(math.hypot(bound - value, Z95 * more), more)
