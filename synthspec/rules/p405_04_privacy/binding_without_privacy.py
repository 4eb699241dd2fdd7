"""The mechanism has no place in this engine.

Why: a block that a training cannot act on would be dropped in silence, and the manifest would claim what nobody did. PATE
    teaches the discriminator of a GAN; noise on statistics protects an engine that learns from those statistics alone.

Refs: P405-4; I40-5

Bad on cancer-dp-vae:
    training: {epochs: 20, batch_size: 64, optimizer: {name: adam, lr: 2.0e-3}, seed: 3}
    privacy:
      mechanism: pate
      unit: record
      adjacency: zero_out
      teachers: 10
      aggregation: gnmax
      noise: {multiplier: 40.0}
      queries: 100
      eps_budget: 4.0
      delta: 1.0e-5
      accountant: rdp
      ledger: breast-cancer-demo

Good without contracts.C40-513:
    engine: {family: gan, architecture: {name: mlp, hidden: [64, 64], latent_dim: 4}}
    objective: {measure: gan}
    training: {epochs: 20, batch_size: 64, optimizer: {name: adam, lr: 2.0e-3}, seed: 3}
    privacy:
      mechanism: pate
      unit: record
      adjacency: zero_out
      teachers: 10
      aggregation: gnmax
      noise: {multiplier: 40.0}
      queries: 100
      eps_budget: 4.0
      delta: 1.0e-5
      accountant: rdp
      ledger: breast-cancer-demo
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.privacy import DpNoise, Pate

TRAINED_FROM = "mean_embedding"
"""The one statistic that an engine can be trained from without a look at a record (DP-MERF, Harder et al. 2021)."""


@rule(code="P405-4.binding-without-privacy")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block, family = mechanism(resolved), resolved.spec.engine.family
    because = (Note("the engine", at("engine", "family")),)
    place = at("privacy", "mechanism")
    if isinstance(block, Pate) and family != "gan":
        message = f"teachers vote for the discriminator of a gan, and a {family} has none"
        yield Finding(place, message, "write mechanism: dp-sgd, or choose the family gan", because)
    if isinstance(block, DpNoise) and block.statistics and TRAINED_FROM not in block.statistics:
        message = (
            f"noise is added to {', '.join(block.statistics)}, but a {family} is trained on the records themselves"
        )
        yield Finding(place, message, f"write mechanism: dp-sgd, or train from {TRAINED_FROM} alone", because)
