"""A student would learn from private records.

Why: distilling a private teacher is free as long as the student sees what the teacher makes. A student that reads the training
    split is a second training on it, and would need a budget of its own.

Refs: P405-4; P405-10

Bad on cancer-dp-vae without contracts.C40-513:
    engine: {family: diffusion, architecture: {name: mlp, hidden: [64]}, noise_schedule: {name: cosine, train_steps: 500}}
    objective: {measure: l_simple, head: v}
    sampling: {n: 400, seed: 7, rng: philox, solver: ddim, NFE: 40}
    acceleration: [{kind: distill, method: consistency, NFE: 4, data: train}]
    evaluation.metrics: [W1, MMD, covg, mode_drop, latency_ms_p99, MI]
    contracts.C40-514: {NFE_max: 40, SLO_latency: 2 s, cfg_max: 0.0}

Good without contracts.C40-513:
    engine: {family: diffusion, architecture: {name: mlp, hidden: [64]}, noise_schedule: {name: cosine, train_steps: 500}}
    objective: {measure: l_simple, head: v}
    sampling: {n: 400, seed: 7, rng: philox, solver: ddim, NFE: 40}
    acceleration: [{kind: distill, method: teacher_student, NFE: 4, data: synthetic}]
    evaluation.metrics: [W1, MMD, covg, mode_drop, latency_ms_p99, MI]
    contracts.C40-514: {NFE_max: 40, SLO_latency: 2 s, cfg_max: 0.0}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import sees_records
from synthspec.spec.sampling import Distill


@rule(code="P405-4.distill-on-private", after=("P405-10.teacher-missing",))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    if sees_records(resolved) is None:
        return
    for number, how in enumerate(resolved.spec.acceleration):
        if isinstance(how, Distill) and how.data == "train":
            yield Finding(
                at("acceleration", number, "data"),
                "the student learns on the training split, which the budget of the teacher does not cover",
                "write data: synthetic",
                (Note("the data are protected by this mechanism", at("privacy", "mechanism")),),
            )
