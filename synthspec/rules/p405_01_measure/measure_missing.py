"""The objective names no measure.

Why: what a generator is trained towards decides what its samples can claim. A density, a likelihood or a divergence has
    to be written down before training; a model without one can be neither judged nor compared.

Refs: P405-1; S405-1; S405-2; S405-3; S405-4

Bad without objective:

Good:
    objective: {measure: l_simple, head: v}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.measures import choice


@rule(code="P405-1.measure-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    objective = resolved.spec.objective
    if objective is None or objective.measure is None:
        family = resolved.spec.engine.family
        yield Finding(
            at("objective", "measure"),
            "no training objective is stated",
            f"name its measure: for a {family} write {choice(family)}",
        )
