"""A contract that is owed is not stated.

Why: which promises a spec owes follows from its family and its data. One that is left out cannot be held or broken, and the
    gate would open for a model that nobody has judged.

Refs: C40-511; C40-512; C40-513; C40-514; C40-515; C40-516; C40-517; C40-518; C40-519

Bad without contracts.C40-519:

Good:
    contracts.C40-519: {}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.contracts import CONTRACTS, setting
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import metrics
from synthspec.spec.evaluation import Contracts, declared


@rule(code="C40.missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    stated = declared(resolved.spec.contracts or Contracts())
    where = setting(resolved)
    if resolved.spec.contracts is None:
        owed = ", ".join(promise.id for promise in CONTRACTS if not promise.not_owed(where))
        yield Finding(at("contracts"), "no contract is stated", f"write contracts, with {owed}")
        return
    for promise in CONTRACTS:
        if promise.id not in stated and not promise.not_owed(where):
            offered = (promise.offered(group, where, metrics(resolved)) for group in promise.owes(where))
            groups = ", ".join(f"{' or '.join(term.symbol for term in group)}: ..." for group in offered)
            yield Finding(
                at("contracts", promise.id),
                f"the contract {promise.id} ({promise.name}) is owed and not stated",
                f"write {promise.id}: {{{groups}}}",
            )
