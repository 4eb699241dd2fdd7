"""The accountant is not one that gives a bound.

Why: a central-limit accountant (gdp) understates eps by up to 85 %, strong composition is not tight, the moments accountant
    is out of date. pld, rdp and prv give upper bounds.

Refs: P405-4

Bad on cancer-dp-vae:
    privacy.accountant: gdp

Good:
    privacy.accountant: pld
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.privacy import Accountant, DpNoise

BOUNDS = ("pld", "rdp", "prv")
_REFUSED = {"gdp": "a central-limit approximation, not a bound", "clt": "a central-limit approximation, not a bound"}


@rule(code="P405-4.accountant-unknown")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if block is None or block.accountant is None:
        return
    nested = isinstance(block.accountant, Accountant)
    kind = block.accountant.kind if isinstance(block.accountant, Accountant) else block.accountant
    # Noise on whole statistics has a closed form; a sampled gradient has none.
    known = (*BOUNDS, "analytic") if isinstance(block, DpNoise) else BOUNDS
    if kind not in known:
        path = ("privacy", "accountant", "kind") if nested else ("privacy", "accountant")
        why = _REFUSED.get(kind, "no accountant that is known here")
        yield Finding(at(*path), f"{kind!r} is {why}", f"write one of {', '.join(known)}")
