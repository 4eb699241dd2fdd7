"""The path gamma(ell) as a table of nodes: strictly increasing arc length, index and reference speed at each (P106-02).

Between two nodes n_eff and c_ref are linear; the nodes are the interfaces that no cell of the quadrature crosses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from synthspec.arrival.quadrature import F64, Index

Medium = Callable[[F64, Index], tuple[F64, F64]]
"""``medium(ell, segment)``: n_eff (1) and c_ref (m/s) at arc lengths `ell` (m) of the given segments."""


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Nodes of gamma: `ell` in m, increasing strictly; `n_eff` (1) and `c_ref` in m/s, positive. All [m], m >= 2."""

    ell: F64
    n_eff: F64
    c_ref: F64

    def __post_init__(self) -> None:
        if not len(self.ell) == len(self.n_eff) == len(self.c_ref) >= 2:
            raise ValueError("a path has at least two nodes, each with n_eff and c_ref")
        if len(bad_steps(self.ell)):
            raise ValueError("ell has to increase strictly")
        if not (np.isfinite(self.n_eff).all() and (self.c_ref > 0).all() and np.isfinite(self.c_ref).all()):
            raise ValueError("n_eff and c_ref have to be finite, and c_ref positive")

    def medium(self, ell: F64, segment: Index) -> tuple[F64, F64]:
        """n_eff and c_ref by linear interpolation within each segment."""
        share = (ell - self.ell[segment]) / (self.ell[segment + 1] - self.ell[segment])
        return (
            self.n_eff[segment] + share * (self.n_eff[segment + 1] - self.n_eff[segment]),
            self.c_ref[segment] + share * (self.c_ref[segment + 1] - self.c_ref[segment]),
        )

    @property
    def constant_c_ref(self) -> bool:
        """Whether the speed is one number, so that the two forms can differ by round-off only."""
        return bool((self.c_ref == self.c_ref[0]).all())

    def thinned(self) -> Path | None:
        """Every other node and the last one; None where that leaves no node out."""
        if len(self.ell) < 3:
            return None
        kept = np.unique(np.r_[np.arange(0, len(self.ell), 2), len(self.ell) - 1])
        return Path(self.ell[kept], self.n_eff[kept], self.c_ref[kept])


def bad_steps(ell: F64) -> Index:
    """The nodes k > 0 that do not lie behind their predecessor (a zero or negative step, or no number)."""
    with np.errstate(invalid="ignore"):
        return np.flatnonzero(~(np.diff(ell) > 0)).astype(np.int64) + 1


def chord_length(points: F64) -> F64:
    """Arc length by cumulated chords of points [m, dims]: ``ell_0 = 0``; each sum is one rounding off at most."""
    chords = np.sqrt((np.diff(points, axis=0) ** 2).sum(axis=1))
    return np.concatenate([[0.0], _cumulated(chords)])


def _cumulated(steps: F64) -> F64:
    """Running sums with the error of each addition carried along (Neumaier 1974)."""
    sums = np.empty_like(steps)
    total = lost = 0.0
    for number, step in enumerate(steps.tolist()):
        grown = total + step
        lost += (total - grown) + step if abs(total) >= abs(step) else (step - grown) + total
        total = grown
        sums[number] = total + lost
    return sums
