"""The engines of a run, the trained one and what accelerations make of it, each with the way it is sampled (P405-10)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from synthspec.ir.ops import Accelerate, Acceleration, Sample
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.solvers import SolverName, SolverPlan
from synthspec.spec.sampling import Distill

TEACHER = "teacher"
"""Under this name the trained engine is evaluated where it is not the one that is released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One engine: the node that makes it, its op where it is an acceleration, and how it is sampled."""

    id: str
    made: Accelerate | None
    sample: Sample

    @property
    def name(self) -> str:
        """What its figures go by, when another engine is released."""
        return TEACHER if self.made is None else self.id


def engines(resolved: ResolvedSpec, sample: Sample) -> tuple[Engine, ...]:
    """The trained engine, sampled by `sample`, and each acceleration of the one before it; the last one is released."""
    found = [Engine(id="fit", made=None, sample=sample)]
    for number, stated in enumerate(resolved.spec.acceleration, start=1):
        how, before = _bare(stated), found[-1].sample
        made = Accelerate(
            fit=before.fit,
            how=how,
            after=before.made_by,
            solver=before.solver,
            w_cfg=before.w_cfg,
            guidance=before.guidance,
            variables=before.variables,
        )
        found.append(Engine(id=f"{how.kind}-{number}", made=made, sample=_sampled(before, how)))
    return tuple(found)


def _bare(how: Acceleration) -> Acceleration:
    """`how` without what it is judged by: a new threshold makes no new engine."""
    return how.model_copy(update={"keep": None})


def _sampled(before: Sample, how: Acceleration) -> Sample:
    """How the engine that `how` makes is sampled: a student goes its own way, with the guidance of its teacher inside it."""
    after = replace(before, made_by=(*before.made_by, how))
    if not isinstance(how, Distill):
        return after
    return replace(after, solver=student_solver(how), w_cfg=0.0, guidance=None)


def student_solver(how: Distill) -> SolverPlan:
    """One evaluation a step: DDIM on the student's own levels, or fresh noise at each of them for a consistency model."""
    name: SolverName = "consistency" if how.method == "consistency" else "ddim"
    return SolverPlan(name=name, steps=how.NFE, NFE=how.NFE)
