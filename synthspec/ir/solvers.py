"""What a solver costs: network evaluations per sample for a number of steps, and back (P405-8, C40-514).

Known here so that a budget no step count meets is refused before anything is trained. What a run really spent is
counted at the network, never taken from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SolverName = Literal["ddpm", "ddim", "dpmsolver++", "unipc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverLaw:
    """A sampler of S405-4/5: ``per_step * n + offset`` network calls for n steps.

    `stochastic` solvers draw noise at each step.
    """

    name: SolverName
    per_step: int = 1
    offset: int = 0
    stochastic: bool = False

    def calls(self, steps: int) -> int:
        """Network calls for `steps` solver steps."""
        return self.per_step * steps + self.offset


SOLVERS: dict[str, SolverLaw] = {
    law.name: law
    for law in (
        SolverLaw(name="ddpm", stochastic=True),
        SolverLaw(name="ddim"),
        SolverLaw(name="dpmsolver++"),
        SolverLaw(name="unipc"),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverPlan:
    """A solver with its steps: NFE counts network evaluations per sample, guided ones twice."""

    name: SolverName
    steps: int
    NFE: int


def evaluations(law: SolverLaw, steps: int, *, guided: bool) -> int:
    """NFE of `steps` steps: guidance evaluates the network twice a call, batched or not."""
    return law.calls(steps) * (2 if guided else 1)


def steps_for(law: SolverLaw, budget: int, *, guided: bool) -> int | None:
    """The number of steps that spends exactly `budget` evaluations, or None when no number does."""
    factor = 2 if guided else 1
    steps, rest = divmod(budget - law.offset * factor, law.per_step * factor)
    return steps if rest == 0 and steps >= 1 else None


def nearest_budgets(law: SolverLaw, budget: int, *, guided: bool) -> tuple[int, ...]:
    """The reachable budgets around `budget`: the largest below and the smallest above, at least one."""
    factor = 2 if guided else 1
    below = (budget - law.offset * factor) // (law.per_step * factor)
    return tuple(evaluations(law, steps, guided=guided) for steps in (below, below + 1) if steps >= 1)
