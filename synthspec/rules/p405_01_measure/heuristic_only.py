"""A score stands where the objective should be.

Why: FID, a classifier's accuracy or a human rating say something about samples, but none of them is a density, a
    likelihood or a divergence that training can be shown to reduce. The standard forbids them as substitutes; they
    belong in ``evaluation.metrics``.

Refs: P405-1

Bad:
    objective: {measure: FID}

Good:
    objective: {measure: l_simple, head: v}
    evaluation.metrics: [FID, KID, recall, covg, mode_drop, latency_ms_p99, MI]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.measures import choice, misspelt
from synthspec.spec.objective import OtherObjective


@rule(code="P405-1.heuristic-only")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    objective = resolved.spec.objective
    if not isinstance(objective, OtherObjective) or objective.measure is None or misspelt(objective.measure):
        return
    yield Finding(
        at("objective", "measure"),
        f"{objective.measure!r} is no explicit density, likelihood or divergence that the standard knows",
        f"train on {choice(resolved.spec.engine.family)}; scores of samples belong in evaluation.metrics",
    )
