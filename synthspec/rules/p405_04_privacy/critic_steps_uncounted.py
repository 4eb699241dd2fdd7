"""The critic's updates are not those that are accounted for.

Why: each update of a critic reads private records and releases one noisy gradient. With several for each update of the
    generator, the steps of the privacy block are the critic's, and they come in whole rounds.

Refs: P405-4; S405-2; S405-8

Bad on cancer-dp-vae without contracts.C40-513:
    engine: {family: gan, architecture: {name: mlp, hidden: [64, 64], latent_dim: 4}}
    objective: {measure: wgan_gp, lambda_gp: 10.0, critic_steps: 3}

Good without contracts.C40-513:
    engine: {family: gan, architecture: {name: mlp, hidden: [64, 64], latent_dim: 4}}
    objective: {measure: wgan_gp, lambda_gp: 10.0, critic_steps: 5}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import dp_sgd
from synthspec.spec.objective import Adversarial, Hinge, Relativistic, WganGp


@rule(code="P405-4.critic-steps-uncounted")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block, objective = dp_sgd(resolved), resolved.spec.objective
    if block is None or block.steps is None or not isinstance(objective, Adversarial | WganGp | Hinge | Relativistic):
        return
    training = resolved.spec.training
    stated = None if training is None else training.steps
    rest = block.steps % objective.critic_steps
    if rest or (stated is not None and stated * objective.critic_steps != block.steps):
        yield Finding(
            at("privacy", "steps"),
            f"{block.steps} releases are no whole number of rounds of {objective.critic_steps} critic updates"
            if rest
            else f"{stated} generator steps of {objective.critic_steps} critic updates are not {block.steps} releases",
            "count every update of the critic: steps = generator steps x critic_steps",
            (Note("critic updates in a round", at("objective", "critic_steps")),),
        )
