"""The seed of the noise is written down.

Why: whoever knows the seed subtracts the noise, and eps_total is infinite. Seeds of initialisation and sampling are public
    (P405-8); those of the noise are drawn in secret, and the manifest holds a commitment to them.

Refs: P405-4; P405-8; C40-519

Bad on cancer-dp-vae:
    privacy.noise: {multiplier: auto, rng: secret_csprng, seed: 42}

Good:
    privacy.noise: {multiplier: auto, rng: secret_csprng}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.privacy import DpSgd, Pate


@rule(code="P405-4.public-noise-seed")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if isinstance(block, DpSgd | Pate) and block.noise is not None and block.noise.seed is not None:
        yield Finding(
            at("privacy", "noise", "seed"),
            "the seed of the noise is public, so anyone can take the noise off again",
            "delete it: the secret is drawn when training starts",
        )
