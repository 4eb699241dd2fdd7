"""Some records are drawn more often than others.

Why: a weighted or class-balanced sampler gives rare records a higher rate, so they spend more than eps_total says, and the
    weights themselves are computed from private data.

Refs: P405-4

Bad on cancer-dp-vae:
    privacy.sampling: {scheme: weighted, rate: 0.16, on_empty: noise_only}

Good:
    privacy.sampling: {scheme: poisson, rate: 0.16, on_empty: noise_only}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import dp_sgd


@rule(code="P405-4.weighted-sampler")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = dp_sgd(resolved)
    if block is None or block.sampling is None:
        return
    if block.sampling.scheme == "weighted" or block.sampling.by is not None:
        key = "scheme" if block.sampling.scheme == "weighted" else "by"
        yield Finding(
            at("privacy", "sampling", key),
            "a sampler that weighs records has no common rate to account for",
            "write scheme: poisson without weights",
        )
