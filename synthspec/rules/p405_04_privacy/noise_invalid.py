"""The noise multiplier is no number above zero.

Why: sigma counts the standard deviation of the noise in units of C. At zero nothing is protected; below it nothing is meant.

Refs: P405-4; S405-8

Bad on cancer-dp-vae:
    privacy.noise: {multiplier: 0.0, rng: secret_csprng}

Good:
    privacy.noise: {multiplier: auto, rng: secret_csprng}
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.privacy import DpSgd, Pate


@rule(code="P405-4.noise-invalid")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if not isinstance(block, DpSgd | Pate) or block.noise is None:
        return
    sigma = block.noise.multiplier
    if sigma != "auto" and not (sigma > 0 and math.isfinite(sigma)):
        yield Finding(
            at("privacy", "noise", "multiplier"),
            f"the noise multiplier is {sigma:g}",
            "write a number above 0, or auto to solve it from the budget",
        )
