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
from synthspec.ir.statistics import OFFERED
from synthspec.rules.form import Finding, Note, at, at_sref, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.privacy import DpNoise, Pate


@rule(code="P405-4.binding-without-privacy")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block, family = mechanism(resolved), resolved.spec.engine.family
    because = (Note("the engine", at("engine", "family")),)
    place = at("privacy", "mechanism")
    if isinstance(block, Pate) and family != "gan":
        message = f"teachers vote for the discriminator of a gan, and a {family} has none"
        yield Finding(place, message, "write mechanism: dp-sgd, or choose the family gan", because)
    if isinstance(block, DpNoise):
        yield from _trained_from(resolved, block)


def _trained_from(resolved: ResolvedSpec, block: DpNoise) -> Iterator[Finding]:
    """What is released must be what an engine of this kind can be trained from."""
    modality = resolved.sref.modality
    if modality != "tabular":
        because = (Note("the modality", at_sref("modality")),)
        message = f"the statistics of dp-noise are of tables, and the records are of modality {modality}"
        yield Finding(at("privacy", "mechanism"), message, "write mechanism: dp-sgd", because)
    for number, name in enumerate(block.statistics):
        if name not in OFFERED:
            message = f"no engine is trained from {name}"
            advice = (
                f"write {' or '.join(OFFERED)}: the engine then learns records that are drawn from what is released"
            )
            yield Finding(at("privacy", "statistics", number), message, advice)
        elif name in block.statistics[:number]:
            message = f"{name} is released already"
            yield Finding(at("privacy", "statistics", number), message, "leave the second one out")
        elif number:
            message = f"records are drawn from one kind of statistics, and {block.statistics[0]} is stated"
            yield Finding(at("privacy", "statistics", number), message, "leave one out: the other has the whole budget")
