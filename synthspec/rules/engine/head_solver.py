"""The head, the noise schedule and the solver do not go together.

Why: a solver needs x_0 = (x_t - sigma_t eps) / alpha_bar_t^(1/2). Where alpha_bar reaches zero at the last step, a prediction
    of eps says nothing about x_0 and the division has no value; v and x0 still do. The edm schedule is preconditioned on an
    estimate of x_0, flow matching on its velocity v. And the reverse SDE has no step away from where no signal is left.

Refs: S405-4; S405-5; P405-8

Bad:
    engine.noise_schedule: {name: linear, train_steps: 1000, beta_start: 1.0e-4, beta_end: 0.2}
    objective: {measure: l_simple, head: eps}

Good:
    engine.noise_schedule: {name: linear, train_steps: 1000, beta_start: 1.0e-4, beta_end: 0.2}
    objective: {measure: l_simple, head: v}
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.solvers import SOLVERS
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.spec.engine import (
    CosineSchedule,
    DiffusionEngine,
    EdmSchedule,
    FlowMatchingSchedule,
    LinearSchedule,
    NoiseSchedule,
    ScaledLinearSchedule,
)
from synthspec.spec.objective import LSimple

FLOOR = 1e-6
"""A signal amplitude below what single precision tells from noise of unit size."""
GRID = 1000
"""log alpha_bar_T is T times the mean of log(1 - beta_t); so many points of a schedule give its mean closely enough."""


_OWED = {"edm": "x0", "flow_matching": "v"}
_SAID = {"x0": "an estimate of x0", "v": "the velocity v"}


@rule(code="engine.head-solver")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    engine, objective = resolved.spec.engine, resolved.spec.objective
    if not isinstance(engine, DiffusionEngine) or not isinstance(objective, LSimple):
        return
    schedule = engine.noise_schedule
    if isinstance(schedule, LinearSchedule | ScaledLinearSchedule) and not schedule.beta_start < schedule.beta_end < 1:
        return  # schema.bad-value says so
    note = Note("the noise schedule", at("engine", "noise_schedule"))
    owed = _OWED.get(schedule.name)
    if owed is not None and objective.head != owed:
        message = f"{schedule.name} trains {_SAID[owed]}, and head says {objective.head}"
        yield Finding(at("objective", "head"), message, f"write head: {owed}", (note,))
    signal = _last_amplitude(schedule)
    if owed is None and objective.head == "eps" and signal < FLOOR:
        yield Finding(
            at("objective", "head"),
            f"the schedule ends at alpha_bar^(1/2) = {signal:.1e}, where eps says nothing about the record",
            "write head: v, or end the schedule earlier",
            (note,),
        )
    law = SOLVERS.get(resolved.spec.sampling.solver or "")
    if law is not None and not law.everywhere and signal == 0:
        message = f"{law.name} has no step away from where no signal is left, and the schedule starts there"
        yield Finding(at("sampling", "solver"), message, "choose another solver, such as dpmsolver++_sde", (note,))


def _last_amplitude(schedule: NoiseSchedule) -> float:
    """sqrt(alpha_bar_T), where sampling starts; the cosine schedule stops short of zero by construction."""
    if isinstance(schedule, FlowMatchingSchedule):
        return 0.0
    if isinstance(schedule, EdmSchedule):
        return 1.0
    if schedule.zero_terminal_snr:
        return 0.0
    if isinstance(schedule, CosineSchedule):
        return 1.0
    power = 2 if isinstance(schedule, ScaledLinearSchedule) else 1
    start, end = schedule.beta_start ** (1 / power), schedule.beta_end ** (1 / power)
    points = min(schedule.train_steps, GRID)
    betas = ((start + (end - start) * i / max(points - 1, 1)) ** power for i in range(points))
    mean = math.fsum(math.log1p(-beta) if beta < 1 else -math.inf for beta in betas) / points
    return math.exp(0.5 * schedule.train_steps * mean)
