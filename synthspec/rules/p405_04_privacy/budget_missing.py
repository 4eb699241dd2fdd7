"""The mechanism has no eps budget.

Why: a mechanism without a budget adds noise and promises nothing. The budget is what is checked before training and what
    C40-516 compares eps_total with.

Refs: P405-4; C40-516

Bad on cancer-dp-vae without privacy.eps_budget:

Good:
    privacy.eps_budget: 4.0
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import mechanism


@rule(code="P405-4.budget-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if block is not None and not block.eps_budget:
        stated = "0" if block.eps_budget == 0 else "not stated"
        yield Finding(
            at("privacy", "eps_budget"), f"eps_budget is {stated}", "write the eps that may be spent, such as 4.0"
        )
