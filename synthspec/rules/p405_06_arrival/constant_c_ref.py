"""The reference speed is constant, so delta_form measures round-off only.

Why: with one c_ref in front of the integral or inside it the two forms are the same number. Their difference is then an error
    of floating point, far below any tolerance, and says nothing about the path.

Refs: P405-6; S405-7; C40-517

Bad on fiber-link-flow:
    path.fields.c_ref.range: [299792458, 299792458]

Good:
    path.fields.c_ref.range: [199000000, 299792458]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import Severity
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, at_sref, rule


@rule(code="P405-6.constant-c-ref", severity=Severity.WARNING, after=("P405-6.one-form",))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    path = resolved.sref.path
    if resolved.spec.arrival is None or path is None:
        return
    for number, column in enumerate(path.fields):
        if column.name == "c_ref" and column.range is not None and column.range[0] == column.range[1]:
            yield Finding(
                at_sref("path", "fields", number, "range"),
                f"c_ref is {column.range[0]:g} {column.unit or ''} everywhere, so delta_form can only measure round-off",
                "give the speed along the path, or take the verdict on tol_Tarr for what it is",
                (Note("both forms are asked for", at("arrival", "forms")),),
            )
