"""The generator of a GAN looks at real records.

Why: only the critic's gradients are clipped and noised; the generator is free because it learns from the critic alone. A term
    that compares its records with real ones is a second look at private data that nobody pays for. Under dp-sgd the
    generator of rpgan is paired with 0, where its critic's releases hold the scores of real records; votes give it none.

Refs: P405-4; S405-2; S405-8

Bad on cancer-dp-vae without contracts.C40-513:
    engine: {family: gan, architecture: {name: mlp, hidden: [64, 64], latent_dim: 4}}
    objective: {measure: wgan_gp, lambda_gp: 10.0, critic_steps: 5, generator_terms: [feature_matching]}

Good without contracts.C40-513:
    engine: {family: gan, architecture: {name: mlp, hidden: [64, 64], latent_dim: 4}}
    objective: {measure: wgan_gp, lambda_gp: 10.0, critic_steps: 5}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import dp_sgd, sees_records
from synthspec.spec.objective import Adversarial, Hinge, Relativistic, WganGp


@rule(code="P405-4.generator-reads-data")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    objective = resolved.spec.objective
    if sees_records(resolved) is None or not isinstance(objective, Adversarial | WganGp | Hinge | Relativistic):
        return
    protected = Note("the data are protected by this mechanism", at("privacy", "mechanism"))
    if isinstance(objective, Relativistic) and dp_sgd(resolved) is None:
        yield Finding(
            at("objective", "measure"),
            "rpgan pairs generated records with the scores of real ones, and votes of teachers are no scores",
            "write measure: gan, or hinge",
            (protected,),
        )
    for number, term in enumerate(objective.generator_terms):
        yield Finding(
            at("objective", "generator_terms", number),
            f"{term} shows real records to the generator, whose gradients are not noised",
            "leave the term out: the generator learns from the critic",
            (protected,),
        )
