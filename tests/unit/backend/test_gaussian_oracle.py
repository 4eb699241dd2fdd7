"""The oracle agrees with itself in every way that it can be computed, and with the numbers measured on diffusers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.backend.gaussian import (
    ddim_gaussian_closed_form,
    ddpm_gaussian_closed_form,
    exact_eps,
    exact_x0,
    fit_classes,
    ode_gaussian_closed_form,
)
from synthspec.backend.integrators import INTEGRATORS, ddim, ddpm, dpmsolver_2m
from synthspec.backend.schedules import alpha_bars, betas, sampling_grid, visited_steps
from synthspec.ir.families import CosineSchedule, LinearSchedule, ScaledLinearSchedule

LINEAR = LinearSchedule(name="linear", train_steps=1000)
COSINE = CosineSchedule(name="cosine", train_steps=1000)
SCALED = ScaledLinearSchedule(name="scaled_linear", train_steps=1000)
ALL = [LINEAR, COSINE, SCALED]


def no_noise():
    raise AssertionError("a deterministic solver asks for no noise")


def gaussian(mean, std):
    """The exact denoiser of N(mean, diag(std^2))."""
    mean, std = np.asarray(mean, dtype=float), np.asarray(std, dtype=float)
    return lambda x, alpha_bar: exact_eps(x, alpha_bar, mean, np.diag(std**2))


@pytest.mark.parametrize("schedule", ALL, ids=lambda s: s.name)
def test_alpha_bar_falls_from_one_towards_zero(schedule):
    table, beta = alpha_bars(schedule), betas(schedule)
    assert table.shape == beta.shape == (1000,)
    assert table.dtype == np.float64
    assert (np.diff(table) < 0).all()
    assert 0 < table[-1] < 0.05
    assert 0.99 < table[0] < 1
    assert ((beta > 0) & (beta <= 0.999)).all()


def test_schedules_have_their_defining_values():
    assert betas(LINEAR)[[0, -1]] == pytest.approx([1e-4, 0.02])
    assert betas(LINEAR)[500] - betas(LINEAR)[499] == pytest.approx((0.02 - 1e-4) / 999)
    assert np.sqrt(betas(SCALED))[[0, -1]] == pytest.approx([0.00085**0.5, 0.012**0.5])
    middle = np.cos((0.5 + 0.008) / 1.008 * np.pi / 2) ** 2 / np.cos(0.008 / 1.008 * np.pi / 2) ** 2
    assert alpha_bars(COSINE)[499] == pytest.approx(middle, rel=1e-12)
    assert betas(COSINE)[-1] == 0.999


@given(st.integers(1, 1000))
def test_trailing_steps_start_from_pure_noise_and_descend(steps):
    visited = visited_steps(1000, steps)
    assert len(visited) == steps
    assert visited[0] == 999
    assert (np.diff(visited) < 0).all()
    assert visited[-1] >= 0
    grid = sampling_grid(LINEAR, steps)
    assert grid[-1] == 1
    assert (np.diff(grid) > 0).all()


def test_leading_steps_never_visit_the_noisiest_one():
    assert visited_steps(1000, 10, "leading").tolist() == [900, 800, 700, 600, 500, 400, 300, 200, 100, 0]
    assert visited_steps(1000, 4, "linspace").tolist() == [999, 749, 500, 250]


@pytest.mark.parametrize("steps", [0, 1001])
def test_steps_that_do_not_fit_are_refused(steps):
    with pytest.raises(ValueError, match="do not fit"):
        visited_steps(1000, steps)


@pytest.mark.parametrize(
    ("steps", "std", "expected"), [(10, 0.3, 0.19052), (50, 0.3, 0.27496), (200, 1.0, 0.99086), (10, 2.0, 1.71988)]
)
def test_ddim_on_a_gaussian_gives_the_numbers_measured_with_diffusers(steps, std, expected):
    """generators.md section 3.4: linear schedule, leading spacing."""
    _, made = ddim_gaussian_closed_form(sampling_grid(LINEAR, steps, "leading"), 0.0, std)
    assert made == pytest.approx(expected, abs=5e-6)


@pytest.mark.parametrize("schedule", ALL, ids=lambda s: s.name)
@pytest.mark.parametrize("steps", [1, 7, 40])
def test_ddim_steps_land_on_the_closed_form(schedule, steps):
    grid, mean, std = sampling_grid(schedule, steps), np.array([0.4, -1.0]), np.array([0.3, 2.0])
    end = ddim(np.array([[0.0, 0.0], [1.0, 1.0]]), grid, gaussian(mean, std), no_noise)
    made_mean, made_std = ddim_gaussian_closed_form(grid, mean, std)
    assert end[0] == pytest.approx(made_mean, abs=1e-9)
    assert np.abs(end[1] - end[0]) == pytest.approx(made_std, abs=1e-9)


@pytest.mark.parametrize("schedule", ALL, ids=lambda s: s.name)
def test_ddpm_steps_follow_the_closed_form(schedule):
    """Mean and variance of an affine recursion, from its response to x_T and to the noise of each step alone."""
    steps, mean, std = 6, 0.4, 0.3
    grid = sampling_grid(schedule, steps)
    denoiser = gaussian([mean], [std])

    def end(start, pulse):
        asked = iter(range(steps))
        return ddpm(np.array([[start]]), grid, denoiser, lambda: np.array([[float(next(asked) == pulse)]]))[0, 0]

    centre = end(0.0, None)
    spread = (end(1.0, None) - centre) ** 2 + sum((end(0.0, k) - centre) ** 2 for k in range(steps - 1))
    made_mean, made_std = ddpm_gaussian_closed_form(grid, mean, std)
    assert made_mean == pytest.approx(centre, abs=1e-9)
    assert made_std == pytest.approx(np.sqrt(spread), abs=1e-9)


def test_with_many_steps_every_solver_returns_the_data():
    grid = sampling_grid(COSINE, 1000)
    for form in (ddim_gaussian_closed_form, ddpm_gaussian_closed_form):
        mean, std = form(grid, 0.5, 0.7)
        assert (mean, std) == (pytest.approx(0.5, abs=1e-3), pytest.approx(0.7, rel=0.01))


@pytest.mark.parametrize(("integrate", "order"), [(ddim, 1), (dpmsolver_2m, 2)])
def test_solvers_have_their_order(integrate, order):
    """On a grid even in log SNR that does not end at zero noise, halving the step divides the error by 2^order."""
    start = np.array([[1.3]])

    def error(steps):
        log_snr = np.linspace(-2.0, 2.0, steps + 1)
        grid = 1 / (1 + np.exp(-2 * log_snr))
        exact = ode_gaussian_closed_form(start, grid[0], grid[-1], 0.5, 0.4)
        return abs((integrate(start, grid, gaussian([0.5], [0.4]), no_noise) - exact).item())

    assert np.log2(error(80) / error(160)) == pytest.approx(order, abs=0.15)


def test_all_solvers_are_exact_on_a_point():
    """Where the data are one point, x0 is known from any noise level: one step or forty, it is returned."""
    point = np.array([0.25, -0.5])
    for integrate in INTEGRATORS.values():
        for steps in (1, 13):
            start = np.random.default_rng(1).standard_normal((3, 2))
            end = integrate(start, sampling_grid(COSINE, steps), gaussian(point, [0, 0]), lambda: np.ones((3, 2)))
            assert end == pytest.approx(np.tile(point, (3, 1)), abs=1e-9)


def test_the_exact_denoiser_is_the_regression_of_the_noise():
    """E[eps | x] minimises the error: its residual is uncorrelated with x, checked on moments, not on samples."""
    cov, mean, alpha_bar = np.array([[0.5, 0.2], [0.2, 0.3]]), np.array([0.1, 0.4]), 0.6
    a, s = np.sqrt(alpha_bar), np.sqrt(1 - alpha_bar)
    gain = exact_eps(np.eye(2), alpha_bar, np.zeros(2), cov).T
    covariance_of_x = a**2 * cov + s**2 * np.eye(2)
    assert gain @ covariance_of_x == pytest.approx(s * np.eye(2))
    assert exact_eps(a * mean[None], alpha_bar, mean, cov) == pytest.approx(np.zeros((1, 2)))
    assert exact_x0(a * mean[None], alpha_bar, mean, cov) == pytest.approx(mean[None])


def test_class_gaussians_in_their_axes_are_the_exact_denoiser():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((60, 3)) @ rng.standard_normal((3, 3)) + rng.standard_normal(3)
    classes = np.arange(60) % 2
    model = fit_classes(x, classes, 3)
    assert model.count.tolist() == [30, 30, 0, 60]
    asked = rng.standard_normal((4, 3))
    for index, rows in ((0, x[::2]), (1, x[1::2]), (model.pooled, x)):
        expected = exact_eps(asked, 0.3, rows.mean(axis=0), np.cov(rows.T, bias=True))
        assert model.eps(asked, 0.3, np.full(4, index)) == pytest.approx(expected, abs=1e-10)
    mixed = model.eps(asked, 0.3, np.array([0, 1, 1, 0]))
    assert mixed[1] == pytest.approx(model.eps(asked[1:2], 0.3, np.array([1]))[0], abs=1e-12)
