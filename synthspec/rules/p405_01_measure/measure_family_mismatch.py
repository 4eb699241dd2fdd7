"""The measure belongs to another family.

Why: an ELBO needs an encoder, an adversarial loss a critic, a likelihood an invertible map, the denoising loss a noise
    schedule. A measure that the family cannot compute is no measure of it.

Refs: P405-1; S405-1; S405-2; S405-3; S405-4

Bad:
    objective: {measure: elbo}

Good:
    objective: {measure: l_simple, head: v}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.measures import FAMILY_MEASURES, choice
from synthspec.spec.objective import OtherObjective


@rule(code="P405-1.measure-family-mismatch")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    objective, family = resolved.spec.objective, resolved.spec.engine.family
    if objective is None or isinstance(objective, OtherObjective) or objective.measure in FAMILY_MEASURES[family]:
        return
    owner = next(name for name, measures in FAMILY_MEASURES.items() if objective.measure in measures)
    yield Finding(
        at("objective", "measure"),
        f"{objective.measure!r} is a measure of the family {owner}, and the engine is a {family}",
        f"write {choice(family)}, or choose the family {owner}",
        (Note("the family is chosen here", at("engine", "family")),),
    )
