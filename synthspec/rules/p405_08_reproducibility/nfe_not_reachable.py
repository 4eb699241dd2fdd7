"""No number of steps spends exactly this NFE.

Why: the budget is met, not approached: a manifest that says 41 where 40 were spent is wrong. Guidance evaluates the network
    twice a call, so an odd budget cannot be met under it; Heun's method costs 2n - 1 for n steps; and a solver cannot take more
    steps than the schedule has. Only to an adaptive solver the budget is a cap.

Refs: P405-8; C40-514

Bad:
    sampling.NFE: 39

Good:
    sampling.NFE: 38
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.solvers import SOLVERS, evaluations, nearest_budgets, steps_for
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import guidance_schedule, guided
from synthspec.spec.engine import DiffusionEngine, EdmSchedule, FlowMatchingSchedule


@rule(code="P405-8.nfe-not-reachable", after=("engine.solver-unknown",))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    sampling, engine = resolved.spec.sampling, resolved.spec.engine
    law = SOLVERS.get(sampling.solver or "")
    if not isinstance(engine, DiffusionEngine) or law is None or sampling.NFE is None:
        return
    twice, way = guided(resolved), guidance_schedule(resolved)
    steps = steps_for(law, sampling.NFE, guided=twice, schedule=way)
    place = at("sampling", "NFE")
    notes = (Note("guidance counts every call twice", at("conditioning", "guidance", "w_cfg")),) if twice else ()
    if steps is None:
        near = " or ".join(str(budget) for budget in nearest_budgets(law, sampling.NFE, guided=twice, schedule=way))
        yield Finding(place, f"no number of {law.name} steps spends NFE {sampling.NFE}", f"write {near}", notes)
        return
    if law.adaptive or isinstance(engine.noise_schedule, EdmSchedule | FlowMatchingSchedule):
        return  # a cap is no number of steps, and between any two levels of these schedules there is another
    longest = engine.noise_schedule.train_steps
    if steps > longest:
        most = evaluations(law, longest, guided=twice, schedule=way)
        message = f"NFE {sampling.NFE} is {steps} steps, but the schedule has {longest}"
        schedule = Note("the noise schedule", at("engine", "noise_schedule", "train_steps"))
        yield Finding(place, message, f"write at most {most}", (*notes, schedule))
