"""What a solver costs: network evaluations per sample for a number of steps, and back (P405-8, C40-514).

Known here so that a budget no step count meets is refused before anything is trained. What a run really spent is
counted at the network, never taken from this table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from synthspec.spec.conditioning import GuidanceSchedule, IntervalGuidance

SolverName = Literal[
    "ddpm", "ddim", "dpmsolver++", "dpmsolver++_sde", "unipc", "euler", "heun", "heun_adaptive", "euler_maruyama",
    "consistency",
]  # fmt: skip
TOLERANCE = 0.01
"""Error of one step of an adaptive solver, in standard deviations of the noised data, unless one is stated."""
_NEAR = 4
"""Step counts around the estimated one that are tried for a budget under guidance of part of the way."""
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverLaw:
    """A sampler of S405-4/5: ``per_step * n + offset`` network calls for n steps.

    `stochastic` solvers draw noise at each step. `adaptive` ones choose their steps; the law says what the most steps cost,
    and a budget is a cap. `everywhere` is False for those that have no value where no signal is left (alpha_bar = 0).
    """

    name: SolverName
    per_step: int = 1
    offset: int = 0
    stochastic: bool = False
    adaptive: bool = False
    everywhere: bool = True

    def calls(self, steps: int) -> int:
        """Network calls for `steps` solver steps."""
        return self.per_step * steps + self.offset

    def level(self, call: int) -> int:
        """The level that the network is asked at in its call number `call`, from 0; level 0 is where sampling starts."""
        return (call + self.per_step - 1) // self.per_step


SOLVERS: dict[str, SolverLaw] = {
    law.name: law
    for law in (
        SolverLaw(name="ddpm", stochastic=True),
        SolverLaw(name="ddim"),
        SolverLaw(name="dpmsolver++"),
        SolverLaw(name="dpmsolver++_sde", stochastic=True),
        SolverLaw(name="unipc"),
        SolverLaw(name="euler"),
        SolverLaw(name="heun", per_step=2, offset=-1),
        SolverLaw(name="heun_adaptive", per_step=2, offset=-1, adaptive=True),
        SolverLaw(name="euler_maruyama", stochastic=True, everywhere=False),
    )
}


STUDENTS: dict[str, SolverLaw] = {"consistency": SolverLaw(name="consistency", stochastic=True)}
"""Samplers of students alone, which no spec names: what an engine has to have learned before they make sense."""


def law_of(name: SolverName) -> SolverLaw:
    """The law of a solver of a plan. Raises KeyError."""
    return SOLVERS[name] if name in SOLVERS else STUDENTS[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverPlan:
    """A solver with its steps: NFE counts network evaluations per sample, guided ones twice.

    Of an adaptive solver, `steps` and `NFE` are the most that it may take, and `tolerance` is what it aims at.
    """

    name: SolverName
    steps: int
    NFE: int
    tolerance: float | None = None


def guidance_at(schedule: GuidanceSchedule | None, t: float) -> float:
    """w_cfg(t) / w_cfg, in [0, 1]. t in [0, 1] is the share of the way that is still ahead: 1 where sampling starts."""
    if schedule is None:
        return 1.0
    if isinstance(schedule, IntervalGuidance):
        return 1.0 if schedule.low - _ROUNDING <= t <= schedule.high + _ROUNDING else 0.0
    return schedule.end + (schedule.start - schedule.end) * t


def guided_calls(law: SolverLaw, steps: int, schedule: GuidanceSchedule | None) -> int:
    """How many of the calls for `steps` steps are guided: those at levels i with w_cfg(1 - i / steps) above 0."""
    if schedule is None or law.adaptive:
        return law.calls(steps)
    first, last = 0, steps - 1
    if isinstance(schedule, IntervalGuidance):
        first = max(first, math.ceil(steps * (1 - schedule.high) - _ROUNDING * steps))
        last = min(last, math.floor(steps * (1 - schedule.low) + _ROUNDING * steps))
    elif schedule.start == 0:
        first, last = (1, last) if schedule.end > 0 else (0, -1)
    if last < first:
        return 0
    return law.per_step * (last - first + 1) + (law.offset if first == 0 else 0)


def evaluations(law: SolverLaw, steps: int, *, guided: bool, schedule: GuidanceSchedule | None = None) -> int:
    """NFE of `steps` steps: guidance evaluates the network twice a call, batched or not."""
    return law.calls(steps) + (guided_calls(law, steps, schedule) if guided else 0)


def steps_for(law: SolverLaw, budget: int, *, guided: bool, schedule: GuidanceSchedule | None = None) -> int | None:
    """The number of steps that spends exactly `budget` evaluations, or None when no number does.

    An adaptive solver takes any budget as a cap: the most steps that fit into it, None where not even one does.
    """
    if guided and schedule is not None and not law.adaptive:
        near = _around(law, budget, schedule)
        return next((n for n in near if evaluations(law, n, guided=True, schedule=schedule) == budget), None)
    factor = 2 if guided else 1
    steps, rest = divmod(budget - law.offset * factor, law.per_step * factor)
    return steps if (rest == 0 or law.adaptive) and steps >= 1 else None


def nearest_budgets(
    law: SolverLaw, budget: int, *, guided: bool, schedule: GuidanceSchedule | None = None
) -> tuple[int, ...]:
    """The reachable budgets around `budget`: the largest below and the smallest above, at least one."""
    if guided and schedule is not None and not law.adaptive:
        near = {evaluations(law, n, guided=True, schedule=schedule) for n in _around(law, budget, schedule)}
        below, above = [one for one in near if one <= budget], [one for one in near if one >= budget]
        return tuple(sorted({*([max(below)] if below else []), *([min(above)] if above else [])}))
    factor = 2 if guided else 1
    steps = (budget - law.offset * factor) // (law.per_step * factor)
    return tuple(evaluations(law, each, guided=guided) for each in (steps, steps + 1) if each >= 1)


def _around(law: SolverLaw, budget: int, schedule: GuidanceSchedule) -> range:
    """Step counts that may spend about `budget`, guided along `schedule`.

    The share of guided levels is known but for one level at each end of the interval.
    """
    share = 1.0 if guidance_at(schedule, 0.5) > 0 else 0.0
    if isinstance(schedule, IntervalGuidance):
        share = max(0.0, schedule.high - schedule.low)
    middle = int(budget / (law.per_step * (1 + share)))
    return range(max(1, middle - _NEAR), max(1, middle) + _NEAR + 1)
