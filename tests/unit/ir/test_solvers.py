"""Budgets and steps are each other's inverse, and no budget is rounded in silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.ir.solvers import SOLVERS, SolverLaw, evaluations, nearest_budgets, steps_for

HEUN = SolverLaw(name="ddim", per_step=2, offset=-1)
LAWS = st.sampled_from([*SOLVERS.values(), HEUN])


@given(LAWS, st.integers(1, 1000), st.booleans())
def test_the_steps_of_a_reachable_budget_spend_it(law: SolverLaw, steps: int, guided: bool) -> None:
    assert steps_for(law, evaluations(law, steps, guided=guided), guided=guided) == steps


@given(LAWS, st.integers(1, 1000), st.booleans())
def test_a_budget_has_steps_exactly_when_some_number_spends_it(law: SolverLaw, budget: int, guided: bool) -> None:
    found = steps_for(law, budget, guided=guided)
    reachable = [n for n in range(1, budget + 2) if evaluations(law, n, guided=guided) == budget]
    assert ([] if found is None else [found]) == reachable


@given(LAWS, st.integers(1, 1000), st.booleans())
def test_the_nearest_budgets_can_be_met_and_lie_around_the_one_asked_for(
    law: SolverLaw, budget: int, guided: bool
) -> None:
    near = nearest_budgets(law, budget, guided=guided)
    assert near
    assert all(steps_for(law, each, guided=guided) is not None for each in near)
    assert any(each >= budget for each in near)


@pytest.mark.parametrize(("guided", "calls"), [(False, 19), (True, 38)])
def test_heun_calls_twice_but_once(guided: bool, calls: int) -> None:
    assert evaluations(HEUN, 10, guided=guided) == calls
