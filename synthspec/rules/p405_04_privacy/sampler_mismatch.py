"""Records are not drawn the way the accountant assumes.

Why: amplification by sampling is proved for Poisson draws. Shuffled or fixed batches accounted for as Poisson claim an eps
    that is too small by factors: 1.95 claimed where at least 10.99 was spent (Chua et al. 2024).

Refs: P405-4; S405-8

Bad on cancer-dp-vae:
    privacy.sampling: {scheme: shuffle, rate: 0.16, on_empty: noise_only}

Good:
    privacy.sampling: {scheme: poisson, rate: 0.16, on_empty: noise_only}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import dp_sgd


@rule(code="P405-4.sampler-mismatch")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = dp_sgd(resolved)
    if block is not None and block.sampling is not None and block.sampling.scheme not in {"poisson", "weighted"}:
        yield Finding(
            at("privacy", "sampling", "scheme"),
            f"{block.sampling.scheme!r} batches have no Poisson amplification, which the accountant assumes",
            "write scheme: poisson",
            (Note("the accountant", at("privacy", "accountant")),),
        )
