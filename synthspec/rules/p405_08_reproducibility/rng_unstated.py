"""The generator of random numbers is not named.

Why: a seed means something only together with its generator. philox is counter-based: record i depends on the seed and i
    alone, whatever the batch size or the number of workers.

Refs: P405-8; C40-519

Bad without sampling.rng:

Good:
    sampling.rng: philox
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule


@rule(code="P405-8.rng-unstated")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    if resolved.spec.sampling.rng is None:
        yield Finding(at("sampling", "rng"), "the random number generator is not stated", "write rng: philox")
