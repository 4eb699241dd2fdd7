"""The mechanism is there, but it protects little.

Why: a budget over 10, a multiplier under 0.3 or a rate over one half give a number for eps without giving anyone a reason
    to trust it. It is allowed; it should be a choice.

Refs: P405-4

Bad on cancer-dp-vae:
    privacy.eps_budget: 20.0
    contracts.C40-516.eps_budget: 20.0

Good:
    privacy.eps_budget: 4.0
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import Severity
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.privacy import DpSgd, Pate

MAX_EPS, MIN_SIGMA, MAX_RATE = 10.0, 0.3, 0.5


@rule(code="P405-4.weak-noise", severity=Severity.WARNING)
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if block is None:
        return
    advice = "lower the budget, add noise, or take fewer steps"
    if block.eps_budget is not None and block.eps_budget > MAX_EPS:
        yield Finding(at("privacy", "eps_budget"), f"an eps of {block.eps_budget:g} protects little", advice)
    sigma = block.noise.multiplier if isinstance(block, DpSgd | Pate) and block.noise is not None else "auto"
    if sigma != "auto" and 0 < sigma < MIN_SIGMA:
        yield Finding(at("privacy", "noise", "multiplier"), f"noise of {sigma:g} C hides little", advice)
    if isinstance(block, DpSgd) and block.sampling is not None and (block.sampling.rate or 0) > MAX_RATE:
        message = f"a rate of {block.sampling.rate:g} leaves no amplification"
        yield Finding(at("privacy", "sampling", "rate"), message, advice)
