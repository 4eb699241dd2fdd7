"""It is not said how T_arr is integrated.

Why: the two forms are compared to nanoseconds. The quadrature, its nodes and weights are part of the number; both forms use
    the same.

Refs: P405-6; S405-7

Bad on fiber-link-flow without arrival.quadrature:

Good:
    arrival.quadrature: gauss_kronrod
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule


@rule(code="P405-6.quadrature-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    arrival = resolved.spec.arrival
    if arrival is not None and arrival.quadrature is None:
        place = at("arrival", "quadrature")
        yield Finding(place, "no quadrature is stated", "write quadrature: gauss_kronrod, or simpson")
