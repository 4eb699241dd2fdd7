"""Noise is added to parts of a step.

Why: the accountant counts one release a logical step. Noise on each microbatch is either k releases of eps, or k times too
    little noise on the sum.

Refs: P405-4; S405-8

Bad on cancer-dp-vae:
    privacy.noise: {multiplier: auto, rng: secret_csprng, per: microbatch}

Good:
    privacy.noise: {multiplier: auto, rng: secret_csprng, per: step}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import dp_sgd


@rule(code="P405-4.noise-per-microbatch")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = dp_sgd(resolved)
    if block is not None and block.noise is not None and block.noise.per == "microbatch":
        yield Finding(
            at("privacy", "noise", "per"),
            "noise is added to each microbatch, but one release a step is accounted for",
            "write per: step",
        )
