"""Noise that is solved from a budget keeps within it, and a little less would not."""

import math

import pytest

from synthspec.accounting import (
    Gaussian,
    Laplace,
    PoissonGaussian,
    Repeated,
    Unknown,
    eps_total,
    solvable,
    solve,
    solve_multiplier,
)


@pytest.mark.parametrize(("budget", "sigma"), [(0.5, 2.38226), (1, 1.41464)])
def test_known_multipliers(budget, sigma):
    """privacy.md 1.2: rate 0.01, 1000 steps, delta 1e-5."""
    solved = solve_multiplier(0.01, 1000, 1e-5, budget)
    assert solved == pytest.approx(sigma, rel=1e-4)
    assert eps_total(PoissonGaussian(0.01, solved, 1000), 1e-5).eps <= budget
    assert float(f"{solved:.5g}") == solved


@pytest.mark.parametrize("accountant", ["pld", "rdp"])
@pytest.mark.parametrize("adjacency", ["zero_out", "replace_one"])
def test_the_answer_fits_and_less_does_not(accountant, adjacency):
    rate, steps, delta, budget = 0.16, 40, 1e-6, 1.7
    solved = solve_multiplier(rate, steps, delta, budget, adjacency, accountant)

    def eps(sigma):
        return eps_total(PoissonGaussian(rate, sigma, steps), delta, accountant, adjacency).eps

    assert eps(solved) <= budget
    assert eps(solved * 0.999) > budget


def test_one_less_in_the_last_digit_does_not_fit():
    """A small budget, where the grid of the search is far from the fine one."""
    solved = solve_multiplier(0.01, 10, 1e-5, 0.01, "zero_out")
    assert float(f"{solved:.5g}") == solved
    assert eps_total(PoissonGaussian(0.01, solved, 10), 1e-5).eps <= 0.01
    assert eps_total(PoissonGaussian(0.01, solved - 1e-4, 10), 1e-5).eps > 0.01


def test_any_event_can_be_solved():
    assert solve(Laplace, 0.0, 0.25) == 4.0
    assert solve(lambda scale: Repeated(Laplace(scale), 3), 0.0, 1.5, "replace_one") == 4.0
    assert solve(Gaussian, 1e-5, 10.0, accountant="analytic") == pytest.approx(0.4998886, rel=2e-5)


def test_the_smallest_budget_is_one_that_a_figure_can_show():
    assert solve_multiplier(0.01, 10, 1e-5, 0.00009) is None
    assert not solvable(lambda sigma: PoissonGaussian(0.01, sigma, 10), 1e-5, 0.00009, "zero_out")
    least = solve_multiplier(0.01, 10, 1e-5, 0.0001)
    assert eps_total(PoissonGaussian(0.01, least, 10), 1e-5).eps <= 0.0001


@pytest.mark.parametrize("event_of", [lambda sigma: Unknown("x"), lambda sigma: PoissonGaussian(0.5, sigma, 10**14)])
def test_what_no_noise_saves(event_of):
    assert solve(event_of, 1e-9, 1.0) is None
    assert not solvable(event_of, 1e-9, 1.0, "zero_out")


def test_where_any_noise_will_do():
    solved = solve(Gaussian, 0.999, 1.0, accountant="analytic")
    assert 0 < solved < 0.2
    assert math.isfinite(eps_total(Gaussian(solved), 0.999, "analytic").eps)
