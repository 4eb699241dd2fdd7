"""The noisy sum is divided by a private number.

Why: the size of a Poisson batch is private. Dividing by it leaks it and changes the sensitivity; the divisor is a public
    constant, usually rate times n.

Refs: P405-4; S405-8

Bad on cancer-dp-vae:
    privacy.normalizer: realised_batch

Good:
    privacy.normalizer: 64
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import dp_sgd
from synthspec.spec.privacy import PublicNormalizer


@rule(code="P405-4.normalizer-private")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = dp_sgd(resolved)
    if block is None or block.normalizer is None or isinstance(block.normalizer, PublicNormalizer):
        return
    if isinstance(block.normalizer, str) or not block.normalizer > 0:
        yield Finding(
            at("privacy", "normalizer"),
            f"the normalizer {block.normalizer!r} is no public positive constant",
            "write a number, such as rate times the public number of records",
        )
