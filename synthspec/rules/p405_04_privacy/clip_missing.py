"""Gradients are not clipped.

Why: without a bound on what one record can change there is no sensitivity, and no amount of noise gives a finite eps.

Refs: P405-4; S405-8

Bad on cancer-dp-vae without privacy.clip:

Good:
    privacy.clip: {norm: 1.0, per: record, scope: flat, nonfinite: zero}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import dp_sgd


@rule(code="P405-4.clip-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = dp_sgd(resolved)
    if block is not None and block.clip is None:
        yield Finding(
            at("privacy", "clip"),
            "no clipping is stated",
            "write clip: {norm: 1.0, per: record, scope: flat, nonfinite: zero}",
        )
