"""A contract has no number.

Why: thresholds have no defaults: what is good enough is the decision of whoever signs. A contract without its numbers
    promises nothing and would be unproven for ever.

Refs: C40-511; C40-512; C40-513; C40-514; C40-515; C40-516; C40-517

Bad:
    contracts.C40-511: {tol_FID: 60.0, tol_KID: 0.05}

Good:
    contracts.C40-511: {tol_FID: 60.0, tol_KID: 0.05, recall_min: 0.30}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.contracts import CONTRACTS, limits, setting
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.spec.evaluation import Contracts, declared


@rule(code="C40.threshold-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    where = setting(resolved)
    for name, stated in declared(resolved.spec.contracts or Contracts()).items():
        promise = next(one for one in CONTRACTS if one.id == name)
        for group in promise.missing(where, limits(promise, stated)):
            if group == ("tol_Tarr",):
                continue  # the axiom of arrival asks for it: P405-6.tolerance-missing
            one_of = "one of " if len(group) > 1 else ""
            yield Finding(
                at("contracts", name, group[0]),
                f"{name} ({promise.name}) states no {' or '.join(group)}",
                f"write {one_of}{', '.join(group)}: {promise.expr}",
            )
