"""The teachers of PATE are not what its accountant assumes.

Why: a record sways one vote only where it lies in one part of a fixed partition. A number of teachers that follows from the
    data, parts that overlap, or a published eps that depends on the votes break the bound. Six public implementations do one
    of them (Ganev et al. 2024).

Refs: P405-4

Bad on cancer-dp-vae without contracts.C40-513:
    engine: {family: gan, architecture: {name: mlp, hidden: [64, 64], latent_dim: 4}}
    objective: {measure: gan}
    training: {steps: 400, batch_size: 32, optimizer: {name: adam, lr: 2.0e-3}, seed: 3}
    privacy:
      mechanism: pate
      unit: record
      adjacency: zero_out
      teachers: n/1000
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
    training: {steps: 400, batch_size: 32, optimizer: {name: adam, lr: 2.0e-3}, seed: 3}
    privacy:
      mechanism: pate
      unit: record
      adjacency: zero_out
      teachers: 10
      partition: disjoint
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
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.privacy import Pate


@rule(code="P405-4.pate-partition")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if not isinstance(block, Pate):
        return
    if isinstance(block.teachers, str):
        message = f"{block.teachers!r} teachers are no public constant"
        yield Finding(at("privacy", "teachers"), message, "write a number, fixed before the data are read")
    if block.partition == "overlapping":
        message = "a record may teach several teachers, and sway as many votes"
        yield Finding(at("privacy", "partition"), message, "write partition: disjoint")
    if block.report == "data_dependent":
        message = "an eps that depends on the votes is itself computed from private records"
        yield Finding(at("privacy", "report"), message, "write report: data_independent")
