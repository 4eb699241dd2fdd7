"""The reference speed is missing.

Why: form 1 divides by the scalar c_ref0, form 2 by the field c_ref(ell). Each form needs its own.

Refs: P405-6; S405-7

Bad on fiber-link-flow without path.c_ref0:

Good:
    path.c_ref0: 299792458 m/s
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, at_sref, rule


@rule(code="P405-6.c-ref-missing", after=("P405-6.path-missing",))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    path = resolved.sref.path
    if resolved.spec.arrival is None or path is None:
        return
    because = (Note("both forms are asked for", at("arrival", "forms")),)
    if path.c_ref0 is None:
        yield Finding(at_sref("path", "c_ref0"), "form 1 has no c_ref0", "write c_ref0: 299792458 m/s", because)
    if "c_ref" not in {column.name for column in path.fields}:
        advice = "add {name: c_ref, dtype: float64, unit: m/s}"
        yield Finding(at_sref("path", "fields"), "form 2 has no column c_ref", advice, because)
