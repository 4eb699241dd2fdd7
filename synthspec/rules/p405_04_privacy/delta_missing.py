"""The mechanism has no delta.

Why: eps means nothing without the probability delta with which it may fail. Gaussian noise has no guarantee at delta 0.

Refs: P405-4; C40-516

Bad on cancer-dp-vae without privacy.delta:

Good:
    privacy.delta: 1.0e-5
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import mechanism


@rule(code="P405-4.delta-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if block is not None and not block.delta:
        stated = "0, at which Gaussian noise has no finite eps" if block.delta == 0 else "not stated"
        yield Finding(at("privacy", "delta"), f"delta is {stated}", "write a public number, such as 1.0e-5")
