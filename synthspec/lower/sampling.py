"""Sampling and enforcement of a spec as ops."""

from __future__ import annotations

import math

from synthspec.ir.ops import Enforce, Export, Fit, Sample
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.solvers import SOLVERS, TOLERANCE, SolverPlan, steps_for
from synthspec.lower.needs import Needs
from synthspec.spec.conditioning import Conditioning, GuidanceSchedule

RESERVE = 8
"""One reserve record for so many asked for, where enforcement may turn records down."""


def sample_op(resolved: ResolvedSpec, fit: Fit, needs: Needs) -> Sample | None:
    """The `Sample` of a spec, or None with the faults in `needs`."""
    sampling = resolved.spec.sampling
    conditioning = resolved.spec.conditioning or Conditioning()
    seed = needs.of(sampling.seed, "sampling", "seed")
    rng = needs.of(sampling.rng, "sampling", "rng")
    guidance = conditioning.guidance
    w_cfg = 0.0 if guidance is None else guidance.w_cfg
    schedule = None if guidance is None or w_cfg == 0 else guidance.schedule
    solver = _solver(resolved, needs, schedule, guided=w_cfg > 0) if fit.engine.family == "diffusion" else None
    if needs.faults or seed is None or rng is None:
        return None
    return Sample(
        fit=fit,
        n=sampling.n,
        candidates=_candidates(resolved, conditioning),
        seed=seed,
        rng=rng,
        block=sampling.block,
        solver=solver,
        w_cfg=w_cfg,
        variables=tuple(conditioning.variables.items()),
        condition=tuple(sampling.condition.items()),
        guidance=schedule,
    )


def enforce_op(resolved: ResolvedSpec, sample: Sample) -> Enforce:
    """The `Enforce` that follows `sample`."""
    release = resolved.spec.release
    return Enforce(schema=resolved.schema, n=sample.n, near_copies=None if release is None else release.near_copies)


def replayed_blocks(sample: Sample, share: float | None) -> tuple[int, ...]:
    """The blocks that C40-519 draws again: `share` of them, at least one, spread evenly from a place that the seed gives."""
    blocks = -(-sample.candidates // sample.block)
    chosen = 1 if share is None else max(1, math.ceil(share * blocks))
    return tuple(sorted({(sample.seed + index * blocks // chosen) % blocks for index in range(chosen)}))


def export_op(resolved: ResolvedSpec) -> Export:
    """How the kept records are published: arrays for what has axes, a table otherwise."""
    return Export(schema=resolved.schema, format="npz" if resolved.schema.modality == "image" else "csv")


def _solver(
    resolved: ResolvedSpec, needs: Needs, schedule: GuidanceSchedule | None, *, guided: bool
) -> SolverPlan | None:
    sampling = resolved.spec.sampling
    name = needs.of(sampling.solver, "sampling", "solver")
    budget = needs.of(sampling.NFE, "sampling", "NFE")
    if name is None or budget is None:
        return None
    law = SOLVERS.get(name)
    steps = None if law is None else steps_for(law, budget, guided=guided, schedule=schedule)
    if law is None or steps is None:
        needs.fault(
            "P405-8.nfe-not-reachable" if law else "engine.solver-unknown",
            f"{name!r} has no plan of steps for NFE {budget}",
            "a waiver cannot make it runnable: choose a known solver and a budget that it can meet",
            ("sampling", "NFE" if law else "solver"),
        )
        return None
    tolerance = (sampling.tolerance or TOLERANCE) if law.adaptive else None
    return SolverPlan(name=law.name, steps=steps, NFE=budget, tolerance=tolerance)


def _candidates(resolved: ResolvedSpec, conditioning: Conditioning) -> int:
    """How many records to draw so that n pass: a reserve where something may be turned down, within the declared cap."""
    n = resolved.spec.sampling.n
    release = resolved.spec.release
    screened = release is not None and release.near_copies is not None and release.near_copies.action == "resample"
    ruled = any(rule.severity == "block" for rule in resolved.schema.rules)
    if not (screened or ruled):
        return n
    attempts = None if conditioning.rejection is None else conditioning.rejection.max_attempts
    reserve = max(-(-n // RESERVE), resolved.spec.sampling.block)
    return n + (reserve if attempts is None else min(reserve, n * (attempts - 1)))
