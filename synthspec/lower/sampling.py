"""Sampling and enforcement of a spec as ops."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from synthspec.ir.drawing import block_count, spread_blocks
from synthspec.ir.members import Value, held_at
from synthspec.ir.ops import Enforce, Export, Fit, Mark, OpNode, Origin, Sample, records_digest
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.solvers import SOLVERS, TOLERANCE, SolverPlan, steps_for
from synthspec.lower.needs import Needs
from synthspec.spec.conditioning import Conditioning, GuidanceSchedule
from synthspec.spec.privacy import NoMechanism

RESERVE = 8
"""One reserve record for so many asked for, where enforcement may turn records down."""
ATTEMPTS = 10
"""Candidates that a kept record may cost where the spec states no `conditioning.rejection`."""


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
        n=wanted(resolved),
        candidates=_candidates(resolved, conditioning),
        seed=seed,
        rng=rng,
        block=sampling.block,
        solver=solver,
        w_cfg=w_cfg,
        variables=tuple(conditioning.variables.items()),
        condition=tuple(_held(resolved)),
        guidance=schedule,
    )


def _held(resolved: ResolvedSpec) -> Iterator[tuple[str, Value]]:
    """The values that conditions are held at, each in the unit of its field."""
    known = {field.name: field for field in resolved.schema.fields}
    for name, value in resolved.spec.sampling.condition.items():
        yield name, held_at(known[name], value) if name in known else value


def wanted(resolved: ResolvedSpec) -> int:
    """How many records must pass: each released one is chosen among `watermark.candidates`."""
    release = resolved.spec.release
    mark = None if release is None else release.watermark
    return resolved.spec.sampling.n * (1 if mark is None else mark.candidates)


def mark_op(resolved: ResolvedSpec) -> Mark | None:
    """The keyed mark of what is released; None where the spec asks for none."""
    release = resolved.spec.release
    mark = None if release is None else release.watermark
    if mark is None:
        return None
    return Mark(schema=resolved.schema, candidates=mark.candidates, alpha=mark.alpha, key=mark.key or "default")


def enforce_op(resolved: ResolvedSpec, sample: Sample) -> Enforce:
    """The `Enforce` that follows `sample`."""
    release, conditioning = resolved.spec.release, resolved.spec.conditioning or Conditioning()
    return Enforce(
        schema=resolved.schema,
        n=sample.n,
        near_copies=None if release is None else release.near_copies,
        most=max(sample.candidates, sample.n * _attempts(conditioning)),
        max_cost=None if conditioning.projection is None else conditioning.projection.max_cost,
    )


def _attempts(conditioning: Conditioning) -> int:
    rejection = conditioning.rejection
    return ATTEMPTS if rejection is None or rejection.max_attempts is None else rejection.max_attempts


def replayed_blocks(sample: Sample, share: float | None) -> tuple[int, ...]:
    """The blocks that C40-519 draws again: `share` of them, at least one, spread evenly from a place that the seed gives."""
    blocks = block_count(sample.candidates, sample.block)
    return spread_blocks(sample.seed, 1 if share is None else max(1, math.ceil(share * blocks)), blocks)


Format = Literal["npz", "csv", "parquet", "jsonl"]
_PLACED = frozenset({"npz", "parquet"})
"""Formats that have a place for what samples say of themselves."""


def formats(resolved: ResolvedSpec) -> tuple[Format, ...]:
    """How records of this modality can be published; the first is what a spec gets that says nothing."""
    return ("npz",) if resolved.schema.modality == "image" else ("csv", "parquet", "jsonl", "npz")


def export_format(resolved: ResolvedSpec) -> Format:
    """How the kept records are published; the first format of the modality where the one asked for is none of its own."""
    release, known = resolved.spec.release, formats(resolved)
    return next((each for each in known if release is not None and each == release.format), known[0])


def embeds(resolved: ResolvedSpec) -> bool:
    """Whether the format of the release has a place for what samples say of themselves."""
    return export_format(resolved) in _PLACED


def export_op(resolved: ResolvedSpec, made: Sequence[OpNode]) -> Export:
    """The `Export` of the records that the nodes `made` lead to."""
    release, private = resolved.spec.release, not isinstance(resolved.spec.privacy, NoMechanism)
    asked = "embedded" if release is None or release.provenance is None else release.provenance
    told = asked == "sidecar" or (asked == "embedded" and embeds(resolved))
    metadata = resolved.spec.metadata
    records = "" if private else records_digest(made)
    return Export(
        schema=resolved.schema,
        format=export_format(resolved),
        origin=Origin(stream=metadata.name, version=metadata.version, records=records) if told else None,
        sidecar=asked == "sidecar",
    )


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
    """How many records to draw at first: a reserve where something may be turned down, within the declared cap."""
    n = wanted(resolved)
    release = resolved.spec.release
    screened = release is not None and release.near_copies is not None and release.near_copies.action == "resample"
    ruled = any(rule.severity == "block" for rule in resolved.schema.rules)
    if not (screened or ruled):
        return n
    reserve = max(-(-n // RESERVE), resolved.spec.sampling.block)
    return n + min(reserve, n * (_attempts(conditioning) - 1))
