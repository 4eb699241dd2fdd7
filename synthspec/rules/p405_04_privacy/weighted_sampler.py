"""Some records are drawn more often than others.

Why: a weighted or class-balanced sampler gives rare records a higher rate, so they spend more than eps_total says, and the
    weights themselves are computed from private data. So does a GAN's training by sampling, which besides draws the members
    of a release by their counts.

Refs: P405-4

Bad on cancer-dp-vae:
    privacy.sampling: {scheme: weighted, rate: 0.16, on_empty: noise_only}

Good:
    privacy.sampling: {scheme: poisson, rate: 0.16, on_empty: noise_only}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import dp_sgd, mechanism
from synthspec.spec.objective import Adversarial, Hinge, Relativistic, WganGp


@rule(code="P405-4.weighted-sampler")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    yield from _by_sampling(resolved)
    block = dp_sgd(resolved)
    if block is None or block.sampling is None:
        return
    if block.sampling.scheme == "weighted" or block.sampling.by is not None:
        key = "scheme" if block.sampling.scheme == "weighted" else "by"
        yield Finding(
            at("privacy", "sampling", key),
            "a sampler that weighs records has no common rate to account for",
            "write scheme: poisson without weights",
        )


def _by_sampling(resolved: ResolvedSpec) -> Iterator[Finding]:
    """Training by sampling draws rows by the counts of their members, and a release draws members by them."""
    objective = resolved.spec.objective
    if mechanism(resolved) is None or not isinstance(objective, Adversarial | WganGp | Hinge | Relativistic):
        return
    if objective.training_by_sampling != "none":
        yield Finding(
            at("objective", "training_by_sampling"),
            f"{objective.training_by_sampling} draws rare records more often, by counts of private records",
            "leave it out: under a mechanism all records are drawn alike",
            (Note("the data are protected by this mechanism", at("privacy", "mechanism")),),
        )
