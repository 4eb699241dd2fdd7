"""A diffusion has no budget of evaluations.

Why: NFE is what a sample costs and most of what decides its quality. It is a budget of network evaluations, guided ones
    counted twice; the compiler derives the steps from it.

Refs: P405-8; C40-514

Bad without sampling.NFE:

Good:
    sampling.NFE: 40
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule


@rule(code="P405-8.nfe-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    if resolved.spec.engine.family == "diffusion" and resolved.spec.sampling.NFE is None:
        yield Finding(
            at("sampling", "NFE"), "no NFE is stated", "write the network evaluations a sample may cost, such as 40"
        )
