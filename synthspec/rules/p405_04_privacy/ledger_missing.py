"""The spending is written to no ledger.

Why: two releases of one data set spend the sum of their budgets. Without a ledger the second one does not know of the first.

Refs: P405-4; C40-516

Bad on cancer-dp-vae without privacy.ledger:

Good:
    privacy.ledger: breast-cancer-demo
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import mechanism


@rule(code="P405-4.ledger-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if block is not None and block.ledger is None:
        yield Finding(
            at("privacy", "ledger"), "no ledger is named", "name one for the data set, such as ledger: hospital-2026"
        )
