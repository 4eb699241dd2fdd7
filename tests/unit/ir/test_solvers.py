"""Budgets and steps are each other's inverse, and no budget is rounded in silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.ir.solvers import SOLVERS, SolverLaw, evaluations, guidance_at, guided_calls, nearest_budgets, steps_for
from synthspec.spec.conditioning import IntervalGuidance, LinearGuidance

FIXED = [law for law in SOLVERS.values() if not law.adaptive]
LAWS = st.sampled_from(FIXED)
HEUN = SOLVERS["heun"]
SHARES = st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.7, 1.0])
WAYS = st.one_of(
    st.none(),
    st.tuples(SHARES, SHARES).map(lambda ends: IntervalGuidance(name="interval", low=min(ends), high=max(ends))),
    st.tuples(SHARES, SHARES).map(lambda ends: LinearGuidance(name="linear", start=ends[0], end=ends[1])),
)


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


@given(LAWS, st.integers(1, 60), WAYS)
def test_guided_calls_are_those_at_levels_where_guidance_is_not_zero(law: SolverLaw, steps: int, way) -> None:
    levels = [law.level(call) for call in range(law.calls(steps))]
    assert levels[0] == 0
    assert sorted(set(levels)) == list(range(steps))
    assert guided_calls(law, steps, way) == sum(guidance_at(way, 1 - level / steps) > 0 for level in levels)


@given(LAWS, st.integers(1, 2000), WAYS)
def test_what_some_steps_spend_under_a_schedule_is_a_budget(law: SolverLaw, steps: int, way) -> None:
    spent = evaluations(law, steps, guided=True, schedule=way)
    found = steps_for(law, spent, guided=True, schedule=way)
    assert found is not None
    assert evaluations(law, found, guided=True, schedule=way) == spent
    assert spent in nearest_budgets(law, spent, guided=True, schedule=way)


@given(st.integers(1, 1000), st.booleans())
def test_to_an_adaptive_solver_a_budget_is_a_cap(budget: int, guided: bool) -> None:
    law = SOLVERS["heun_adaptive"]
    steps = steps_for(law, budget, guided=guided)
    if steps is None:
        assert budget < (2 if guided else 1)
        return
    assert evaluations(law, steps, guided=guided) <= budget < evaluations(law, steps + 1, guided=guided)


def test_an_enormous_budget_under_a_schedule_takes_no_time() -> None:
    way = IntervalGuidance(name="interval", low=0.2, high=0.7)
    near = nearest_budgets(HEUN, 10**12, guided=True, schedule=way)
    assert all(steps_for(HEUN, each, guided=True, schedule=way) for each in near)
