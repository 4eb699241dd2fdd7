"""An empty draw is not answered with noise.

Why: skipping or drawing again when no record was drawn reveals that none was, and changes the law that the accountant
    assumes. The step is taken with noise alone.

Refs: P405-4; S405-8

Bad on cancer-dp-vae:
    privacy.sampling: {scheme: poisson, rate: 0.16, on_empty: skip}

Good:
    privacy.sampling: {scheme: poisson, rate: 0.16, on_empty: noise_only}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import dp_sgd


@rule(code="P405-4.on-empty")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = dp_sgd(resolved)
    if block is None or block.sampling is None or block.sampling.on_empty == "noise_only":
        return
    stated = block.sampling.on_empty or "not stated"
    yield Finding(at("privacy", "sampling", "on_empty"), f"on_empty is {stated}", "write on_empty: noise_only")
