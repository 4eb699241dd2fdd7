"""The arrival time is computed in one way only.

Why: T_arr has two forms, with the constant c_ref in front of the integral and with c_ref(ell) inside. Their difference
    delta_form is the error of the simplification, and it is known only when both are computed.

Refs: P405-6; S405-7; C40-517

Bad on fiber-link-flow:
    arrival: {forms: form1, quadrature: gauss_kronrod}

Good:
    arrival: {forms: both, quadrature: gauss_kronrod}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, at_sref, rule


@rule(code="P405-6.one-form")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    arrival, path = resolved.spec.arrival, resolved.sref.path
    if arrival is None and path is not None:
        yield Finding(
            at("arrival"),
            "the SRef has a path, but no form of T_arr is computed",
            "write arrival: {forms: both, quadrature: gauss_kronrod}",
            (Note("the path gamma(ell)", at_sref("path")),),
        )
    elif arrival is not None and arrival.forms != "both":
        message = f"only {arrival.forms} of T_arr is computed, so there is no delta_form"
        yield Finding(at("arrival", "forms"), message, "write forms: both")
