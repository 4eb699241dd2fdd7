"""Nothing says how far the two forms may differ.

Why: delta_form is computed to be judged. C40-517 compares it with tol_Tarr, which has no default.

Refs: P405-6; C40-517

Bad on fiber-link-flow without contracts.C40-517.tol_Tarr:

Good:
    contracts.C40-517.tol_Tarr: 10 ns
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule


@rule(code="P405-6.tolerance-missing", after=("C40.missing",))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    promised = resolved.spec.contracts
    arrival = None if promised is None else promised.c40_517
    if resolved.spec.arrival is not None and arrival is not None and arrival.tol_Tarr is None:
        yield Finding(
            at("contracts", "C40-517", "tol_Tarr"),
            "delta_form has no tolerance",
            "write tol_Tarr with a unit of time, such as 10 ns",
            (Note("both forms are asked for", at("arrival")),),
        )
