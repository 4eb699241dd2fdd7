"""Both forms of T_arr (S405-7) on one grid.

``T_arr_form1 = (1 / c_ref0) * integral of n_eff d ell``, ``T_arr_form2 = integral of n_eff / c_ref d ell`` and
``delta_form = |T_arr_form1 - T_arr_form2|``: the same nodes, the same weights, sums that are rounded once (`math.fsum`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from synthspec.arrival.path import Medium, Path
from synthspec.arrival.quadrature import F64, Grid, Index, Rule, refine


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """The arrival time along a path of `length` m, in seconds."""

    length: float
    """L_gamma, the integral of 1 d ell."""
    form1: float
    form2: float
    segment_form1: F64
    """[s]: what each segment between two interfaces adds to form 1."""
    segment_form2: F64
    floor: float
    """The integral of d ell / c_ref: nothing arrives earlier where n_eff >= 1."""
    quadrature_error: float
    """By how much the rule and its embedded one differ, the larger of both forms."""
    nodes: int
    """Places at which the integrands were evaluated."""

    @property
    def delta_form(self) -> float:
        return abs(self.form1 - self.form2)

    @property
    def delta_local(self) -> F64:
        """[s]: ``|form1 - form2|`` of each segment."""
        return np.abs(self.segment_form1 - self.segment_form2)


def arrive(interfaces: F64, medium: Medium, c_ref0: float, rule: Rule) -> Arrival:
    """Integrate both forms from the first to the last of `interfaces` (m, increasing strictly); `c_ref0` in m/s.

    Raises NotConvergedError, and ValueError for a c_ref0 that is no speed.
    """
    if not (c_ref0 > 0 and math.isfinite(c_ref0)):
        raise ValueError("c_ref0 has to be a positive speed")

    def integrand(ell: F64, segment: Index) -> F64:
        n_eff, c_ref = medium(ell, segment)
        return np.stack([n_eff + 0.0 * ell, n_eff / c_ref + 0.0 * ell, 1.0 / c_ref + 0.0 * ell])

    grid, values = refine(rule, integrand, interfaces)
    index, through, bare = values
    segments = len(interfaces) - 1
    return Arrival(
        length=math.fsum(grid.weights.ravel()),
        form1=math.fsum((grid.weights * index).ravel()) / c_ref0,
        form2=math.fsum((grid.weights * through).ravel()),
        segment_form1=_by_segment(grid, index, segments) / c_ref0,
        segment_form2=_by_segment(grid, through, segments),
        floor=math.fsum((grid.weights * bare).ravel()),
        quadrature_error=max(_disagreement(grid, index) / c_ref0, _disagreement(grid, through)),
        nodes=grid.places.size,
    )


def along(path: Path, c_ref0: float, rule: Rule) -> Arrival:
    """`arrive` on a table of nodes."""
    return arrive(path.ell, path.medium, c_ref0, rule)


def _by_segment(grid: Grid, values: F64, segments: int) -> F64:
    products = grid.weights * values
    ends = np.searchsorted(grid.segment, np.arange(segments + 1))
    return np.array([math.fsum(products[a:b].ravel()) for a, b in pairwise(ends.tolist())])


def _disagreement(grid: Grid, values: F64) -> float:
    return math.fsum(np.abs(((grid.weights - grid.embedded) * values).sum(axis=1)))
