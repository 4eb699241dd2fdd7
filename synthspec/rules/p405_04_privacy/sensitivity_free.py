"""The sensitivity of a statistic is a number somebody chose.

Why: how much one record can move a sum or a mean follows from the bounds of its fields and from what counts as a neighbour. A
    smaller number written beside it makes the noise smaller, and the guarantee false.

Refs: P405-4

Bad on cancer-dp-vae:
    training: {epochs: 20, batch_size: 64, optimizer: {name: adam, lr: 2.0e-3}, seed: 3}
    stability.monitors: [{signal: grad_norm, trip: grad_norm > 100, window: 20, action: stop}]
    privacy:
      mechanism: dp-noise
      unit: record
      adjacency: zero_out
      dataset_size: {public: true, value: 398}
      statistics: [marginals]
      sensitivity: 0.01
      eps_budget: 4.0
      delta: 1.0e-5
      bounds: sref
      accountant: pld
      ledger: breast-cancer-demo

Good:
    training: {epochs: 20, batch_size: 64, optimizer: {name: adam, lr: 2.0e-3}, seed: 3}
    stability.monitors: [{signal: grad_norm, trip: grad_norm > 100, window: 20, action: stop}]
    privacy:
      mechanism: dp-noise
      unit: record
      adjacency: zero_out
      dataset_size: {public: true, value: 398}
      statistics: [marginals]
      sensitivity: derived
      eps_budget: 4.0
      delta: 1.0e-5
      bounds: sref
      accountant: pld
      ledger: breast-cancer-demo
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.privacy import DpNoise


@rule(code="P405-4.sensitivity-free")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if isinstance(block, DpNoise) and block.sensitivity != "derived":
        yield Finding(
            at("privacy", "sensitivity"),
            f"a sensitivity of {block.sensitivity:g} follows from nothing",
            "write sensitivity: derived, or leave it out: it is computed from the bounds and the adjacency",
            (Note("the bounds", at("privacy", "bounds")),),
        )
