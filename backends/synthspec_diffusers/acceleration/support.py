"""Which students there can be, asked before anything runs. Pure: no framework and no numpy is loaded."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.families import DiffusionEngine, Distill, LSimple, NoMechanism
from synthspec.ir.ops import Accelerate, Sample
from synthspec_torch.acceleration.support import acceleration_reasons

SOLVER_OF = {"consistency": "consistency", "progressive": "ddim", "teacher_student": "ddim"}
"""How the students of each method are sampled."""


def student_reasons(op: Accelerate) -> Iterator[str]:
    """Why there is no engine that ``op.how`` makes."""
    yield from acceleration_reasons(op)
    how = op.how
    if not isinstance(how, Distill):
        return
    if any(isinstance(before, Distill) for before in op.after):
        yield "distill: a student is no teacher here; distil once, to the NFE that is wanted"
    if op.solver is None:
        yield "distill: a teacher without a solver shows no way"
        return
    own, steps = SOLVER_OF[how.method], op.solver.steps
    if how.solver not in (None, own):
        yield f"distill: a {how.method} student is sampled by {own}, not by {how.solver}"
    least = 2 * how.NFE if how.method == "progressive" else how.NFE
    if steps < least:
        yield f"distill: a {how.method} student of NFE {how.NFE} needs a teacher of at least {least} steps, not {steps}"
    if how.data == "train" and how.method == "teacher_student":
        yield "distill: teacher_student learns on what the teacher makes; write data: synthetic"
    if how.data == "train" and not isinstance(op.fit.privacy, NoMechanism):
        yield "distill: under a mechanism a student learns on what the teacher makes; write data: synthetic"
    if how.method == "consistency" and _says_x0(op):
        yield "distill: the head x0 does not say the record itself where no noise is left, as a consistency model has to"


def _says_x0(op: Accelerate) -> bool:
    engine, objective = op.fit.engine, op.fit.objective
    plain = isinstance(engine, DiffusionEngine) and engine.noise_schedule.name not in ("edm", "flow_matching")
    return plain and isinstance(objective, LSimple) and objective.head == "x0"


def sampled_as_taught(op: Sample) -> Iterator[str]:
    """Why the engine of `op` is not sampled as it was made to be."""
    taught = [how for how in op.made_by if isinstance(how, Distill)]
    if op.solver is None:
        return
    if not taught:
        if op.solver.name == "consistency":
            yield "only a consistency student is sampled by its estimates alone"
        return
    own = SOLVER_OF[taught[-1].method]
    if op.solver.name != own or op.solver.steps != taught[-1].NFE:
        yield f"a {taught[-1].method} student of NFE {taught[-1].NFE} takes {taught[-1].NFE} steps of {own}"
    if op.w_cfg:
        yield "guidance is part of a student already, and is not added again"
