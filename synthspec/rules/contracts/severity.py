"""A contract is taken lighter than the standard allows.

Why: the scale is info, warn, block. Under a privacy mechanism C40-516 blocks: a release that spent more than its budget
    cannot be taken back, so a warning comes too late.

Refs: C40-516; P405-4

Bad on cancer-dp-vae:
    contracts.C40-516: {eps_budget: 4.0, delta_budget: 1.0e-5, mi_max: 0.40, severity: warn}

Good:
    contracts.C40-516: {eps_budget: 4.0, delta_budget: 1.0e-5, mi_max: 0.40, severity: block}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism


@rule(code="C40.severity")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    promised = resolved.spec.contracts
    stated = None if promised is None else promised.c40_516
    if stated is not None and mechanism(resolved) is not None and stated.severity != "block":
        yield Finding(
            at("contracts", "C40-516", "severity"),
            f"under a mechanism C40-516 cannot be of severity {stated.severity}",
            "write severity: block, or leave it out",
            (Note("the mechanism", at("privacy", "mechanism")),),
        )
