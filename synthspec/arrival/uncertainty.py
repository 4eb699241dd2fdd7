"""How well T_arr and delta_form are known: the digits of the table, what lies between its nodes, and round-off.

Steps S106-06 and delta_local of the standard's companion are not spelled out in what we have; the combination used here,
``tol_Tarr = k * sqrt(u_form1^2 + u_form2^2 + u_disc^2)`` with k = 2, is inferred and labelled so wherever it is shown. The
two forms share n_eff, so the errors of delta_form are propagated on their own and not taken from those of the forms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synthspec.arrival.forms import Arrival, along
from synthspec.arrival.path import Path
from synthspec.arrival.quadrature import F64, Rule

COVERAGE_FACTOR = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The step in which each column of the table is written, in m, 1 and m/s; an entry may be off by half of it."""

    ell: float
    n_eff: float
    c_ref: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Standard uncertainties in seconds."""

    u_form1: float
    u_form2: float
    u_disc: float
    """Of both forms alike: what the quadrature leaves, and what every other node of the table is worth."""
    u_delta: float
    """Of delta_form, common errors of the two forms cancelled."""

    @property
    def tol_derived(self) -> float:
        """``k * sqrt(u_form1^2 + u_form2^2 + u_disc^2)``, k = 2 (inferred)."""
        return COVERAGE_FACTOR * math.hypot(self.u_form1, self.u_form2, self.u_disc)


def budget(path: Path, arrival: Arrival, c_ref0: float, rule: Rule, resolution: Resolution) -> Budget:
    """The budget of `arrival`, which was integrated along `path` by `rule`."""
    step = np.diff(path.ell)
    reach = (np.r_[step, 0.0] + np.r_[0.0, step]) / 2
    u_ell, u_n, u_c = (each / math.sqrt(12.0) for each in (resolution.ell, resolution.n_eff, resolution.c_ref))
    by_n1, by_n2 = reach / c_ref0, reach / path.c_ref
    by_c2 = -path.n_eff / path.c_ref**2 * reach
    by_ell1, by_ell2 = _by_ell(path.n_eff) / c_ref0, _by_ell(path.n_eff / path.c_ref)
    fine = (
        _norm(u_n * by_n1, u_ell * by_ell1),
        _norm(u_n * by_n2, u_c * by_c2, u_ell * by_ell2),
        _norm(u_n * (by_n1 - by_n2), u_c * by_c2, u_ell * (by_ell1 - by_ell2)),
    )
    between, between_delta = _between_nodes(path, arrival, c_ref0, rule)
    rounding = 2.0 * (math.ulp(arrival.form1) + math.ulp(arrival.form2))
    return Budget(
        u_form1=fine[0],
        u_form2=fine[1],
        u_disc=math.hypot(arrival.quadrature_error, between),
        u_delta=math.hypot(fine[2], between_delta, rounding),
    )


def _by_ell(integrand: F64) -> F64:
    """The derivative of the integral by the place of each node: the mean before it less the mean behind it."""
    mean = (integrand[:-1] + integrand[1:]) / 2
    return np.asarray(np.r_[0.0, mean] - np.r_[mean, 0.0])


def _norm(*parts: F64) -> float:
    return math.sqrt(math.fsum(float((part**2).sum()) for part in parts))


def _between_nodes(path: Path, arrival: Arrival, c_ref0: float, rule: Rule) -> tuple[float, float]:
    """A third of what leaving out every other node changes (Richardson): of the forms, and of delta_form."""
    coarse = path.thinned()
    if coarse is None:
        return 0.0, 0.0
    other = along(coarse, c_ref0, rule)
    changes = abs(other.form1 - arrival.form1), abs(other.form2 - arrival.form2)
    delta = abs((other.form1 - other.form2) - (arrival.form1 - arrival.form2))
    return max(changes) / 3.0, delta / 3.0
