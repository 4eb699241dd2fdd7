"""Each pass over a record is clipped by itself.

Why: a record that enters a step k times, each time clipped to C, adds up to k C to the sum, and sigma counts C. Its passes are
    averaged first and clipped once (Dockhorn et al. 2022).

Refs: P405-4; S405-8

Bad on cancer-dp-vae:
    privacy.multiplicity: {k: 16, clip: each}

Good:
    privacy.multiplicity: {k: 16, clip: after}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import dp_sgd
from synthspec.spec.privacy import Multiplicity


@rule(code="P405-4.multiplicity-clipped-each")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = dp_sgd(resolved)
    if block is None or not isinstance(block.multiplicity, Multiplicity) or block.multiplicity.clip == "after":
        return
    yield Finding(
        at("privacy", "multiplicity", "clip"),
        f"each of {block.multiplicity.k} passes over a record is clipped, so it adds up to {block.multiplicity.k} C",
        "write clip: after, which averages the passes before the one clip",
        (Note("C", at("privacy", "clip", "norm")),),
    )
