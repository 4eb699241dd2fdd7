"""A contract has no number.

Why: thresholds have no defaults: what is good enough is the decision of whoever signs. A contract without its numbers
    promises nothing and would be unproven for ever. Pictures owe tol_FID, tol_KID and recall_min; tables and series owe one
    distance of their choice, such as tol_W1 or tol_MMD, and its figure in evaluation.metrics.

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
from synthspec.rules.subject import metrics
from synthspec.spec.evaluation import Contracts, declared


@rule(code="C40.threshold-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    where = setting(resolved)
    for name, stated in declared(resolved.spec.contracts or Contracts()).items():
        promise = next(one for one in CONTRACTS if one.id == name)
        for group in promise.missing(where, limits(promise, stated)):
            if group == ("tol_Tarr",):
                continue  # the axiom of arrival asks for it: P405-6.tolerance-missing
            offered = promise.offered(group, where, metrics(resolved))
            one_of = "one of " if len(offered) > 1 else ""
            yield Finding(
                at("contracts", name, group[0]),
                f"{name} ({promise.name}) states no {' or '.join(term.symbol for term in offered)}",
                f"write {one_of}{', '.join(term.symbol for term in offered)}: "
                f"{', '.join(term.inequality for term in offered)}",
            )
