"""A seed is missing.

Why: without it the run is one of many that cannot be told apart. Every seed is written down before the run and persisted
    after it; a seed drawn from the clock is none.

Refs: P405-8; C40-519

Bad without sampling.seed:

Good:
    sampling.seed: 7
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule


@rule(code="P405-8.seed-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    training, sampling = resolved.spec.training, resolved.spec.sampling
    if training is not None and training.seed is None:
        yield Finding(at("training", "seed"), "training has no seed", "write seed: and a whole number, such as 1")
    if sampling.seed is None:
        yield Finding(at("sampling", "seed"), "sampling has no seed", "write seed: and a whole number, such as 7")
