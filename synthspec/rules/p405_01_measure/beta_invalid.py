"""ELBO_beta has no usable beta.

Why: beta is part of the measure. Without a number the objective is not stated; at zero or below it no longer bounds
    anything; and an annealing that is still going on when training ends never trains on the measure that is stated.

Refs: P405-1; S405-1

Bad on digits-vae:
    objective: {measure: elbo_beta, beta: 0.0}

Good:
    objective: {measure: elbo_beta, beta: 0.5, annealing: {name: linear, epochs: 10}}
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.spec.objective import Elbo, ElboBeta


@rule(code="P405-1.beta-invalid")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    objective = resolved.spec.objective
    if isinstance(objective, ElboBeta):
        if objective.beta is None:
            yield Finding(at("objective", "beta"), "elbo_beta has no beta", "write beta: 1.0, or the measure elbo")
        elif not objective.beta > 0 or math.isinf(objective.beta):
            yield Finding(at("objective", "beta"), f"beta is {objective.beta:g}", "beta is a finite number above 0")
    yield from _endless(resolved)


def _endless(resolved: ResolvedSpec) -> Iterator[Finding]:
    objective, training = resolved.spec.objective, resolved.spec.training
    if not isinstance(objective, Elbo | ElboBeta) or objective.annealing is None or training is None:
        return
    if training.epochs is not None and objective.annealing.epochs > training.epochs:
        yield Finding(
            at("objective", "annealing", "epochs"),
            f"beta is annealed for {objective.annealing.epochs} epochs, but training has {training.epochs}",
            "let the annealing end before training does",
            (Note("training ends here", at("training", "epochs")),),
        )
