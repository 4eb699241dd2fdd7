"""Adaptive quadrature of several integrands on one common grid: the same nodes and the same weights for all of them.

Each cell is integrated by a rule with an embedded lower one; where the two disagree for any of the integrands, the cell is
halved. Cells never cross an interface. Rules: Gauss-Kronrod G7-K15 (Kronrod 1965, digits of QUADPACK) and adaptive Simpson,
whose value is the extrapolated one (Boole's rule) and whose embedded rule is Simpson's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Index = NDArray[np.int64]

Integrand = Callable[[F64, Index], F64]
"""``g(ell, segment)`` gives every integrand at places [cells, nodes]: [integrands, cells, nodes].

`segment` [cells, 1] says between which two interfaces each place lies, so that a value on an interface is one-sided.
"""

RELATIVE = 1e-13
"""How far, relative to the integral over a cell, the two rules of an accepted cell may disagree."""
ROUND_OFF = 1e-16
"""Relative to the whole integral: what lies below it is not looked at any closer."""
DEEPEST = 64
"""Halvings after which a cell has the width of round-off."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule on [-1, 1]: places [m], weights [m], and the weights of the embedded rule, zero where it does not look."""

    name: str
    places: F64
    weights: F64
    embedded: F64


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The accepted cells: places, weights and embedded weights, each [cells, m], and the segment of each cell [cells]."""

    places: F64
    weights: F64
    embedded: F64
    segment: Index


class NotConvergedError(ValueError):
    """The integrand is not finite, or the two rules go on to disagree however small the cells become."""


def _mirrored(half: list[float], sign: float = 1.0) -> F64:
    """Values on [0, 1], last one at 0, continued to [-1, 1]."""
    return np.array([sign * value for value in half] + half[-2::-1])


_K15 = [
    0.991455371120812639206854697526329, 0.949107912342758524526189684047851, 0.864864423359769072789712788640926,
    0.741531185599394439863864773280788, 0.586087235467691130294144691258480, 0.405845151377397166906606412076961,
    0.207784955007898467600689403773245, 0.0,
]  # fmt: skip
_K15_WEIGHTS = [
    0.022935322010529224963732008058970, 0.063092092629978553290700663189204, 0.104790010322250183839876322541518,
    0.140653259715525918745189590510238, 0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
    0.204432940075298892414161999234649, 0.209482141084727828012999174891714,
]  # fmt: skip
_G7_WEIGHTS = [
    0.0, 0.129484966168869693270611432679082, 0.0, 0.279705391489276667901467771423780,
    0.0, 0.381830050505118944950369775488975, 0.0, 0.417959183673469387755102040816327,
]  # fmt: skip

GAUSS_KRONROD = Rule("gauss_kronrod", _mirrored(_K15, -1.0), _mirrored(_K15_WEIGHTS), _mirrored(_G7_WEIGHTS))
SIMPSON = Rule(
    "simpson",
    np.array([-1.0, -0.5, 0.0, 0.5, 1.0]),
    np.array([7.0, 32.0, 12.0, 32.0, 7.0]) / 45.0,
    np.array([1.0, 0.0, 4.0, 0.0, 1.0]) / 3.0,
)


def refine(rule: Rule, integrand: Integrand, interfaces: F64) -> tuple[Grid, F64]:
    """A grid on which every integrand is resolved, and their values there, [integrands, cells, m].

    `interfaces` [s + 1] increase strictly; segment k lies between interfaces k and k + 1.
    Raises NotConvergedError.
    """
    low, high = interfaces[:-1], interfaces[1:]
    segment = np.arange(len(low), dtype=np.int64)
    done: list[tuple[F64, F64, Index, F64]] = []
    total: F64 | None = None
    for _ in range(DEEPEST):
        places = (low + high)[:, None] / 2 + (high - low)[:, None] / 2 * rule.places
        values = integrand(places, segment[:, None])
        if not np.isfinite(values).all():
            raise NotConvergedError("an integrand is not finite everywhere on the path")
        width = (high - low) / 2
        fine, coarse = values @ rule.weights * width, values @ rule.embedded * width
        total = np.abs(fine).sum(axis=1) if total is None else total
        least = np.maximum(RELATIVE * np.abs(fine), ROUND_OFF * total[:, None])
        good = (np.abs(fine - coarse) <= least).all(axis=0)
        done.append((low[good], high[good], segment[good], values[:, good]))
        if good.all():
            return _grid(rule, done)
        low, high, segment = low[~good], high[~good], segment[~good]
        middle = (low + high) / 2
        low, high, segment = np.r_[low, middle], np.r_[middle, high], np.r_[segment, segment]
    raise NotConvergedError(f"{rule.name} does not settle on {len(low)} cells of the path")


def _grid(rule: Rule, done: list[tuple[F64, F64, Index, F64]]) -> tuple[Grid, F64]:
    """The accepted cells in the order of the path."""
    low, high, segment = (np.concatenate([part[number] for part in done]) for number in range(3))
    values = np.concatenate([part[3] for part in done], axis=1)
    order = np.argsort(low, kind="stable")
    low, high, segment = low[order], high[order], segment[order]
    half = (high - low)[:, None] / 2
    places = (low + high)[:, None] / 2 + half * rule.places
    return Grid(places, half * rule.weights, half * rule.embedded, segment.astype(np.int64)), values[:, order]
