"""The gradient penalty is no part of a record's loss.

Why: the penalty is taken between a real and a generated record, so it depends on private data. It is bounded only where it
    stands in the loss of its record, under one clip with the rest; as a number of the batch it passes every clip by.

Refs: P405-4; S405-2; S405-8

Bad on cancer-dp-vae without contracts.C40-513:
    engine: {family: gan, architecture: {name: mlp, hidden: [64, 64], latent_dim: 4}}
    objective: {measure: wgan_gp, lambda_gp: 10.0, critic_steps: 5, penalty_per: batch}

Good without contracts.C40-513:
    engine: {family: gan, architecture: {name: mlp, hidden: [64, 64], latent_dim: 4}}
    objective: {measure: wgan_gp, lambda_gp: 10.0, critic_steps: 5, penalty_per: record}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import dp_sgd
from synthspec.spec.objective import WganGp


@rule(code="P405-4.penalty-outside-record")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    objective = resolved.spec.objective
    if dp_sgd(resolved) is None or not isinstance(objective, WganGp) or objective.penalty_per == "record":
        return
    yield Finding(
        at("objective", "penalty_per"),
        "the gradient penalty is one number of the batch, so no clip bounds what a record adds to it",
        "write penalty_per: record",
        (Note("each record is clipped by itself", at("privacy", "clip")),),
    )
