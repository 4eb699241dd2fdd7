"""Laws of the diffusion solvers in float64, on a Gaussian whose denoiser is known in closed form: nothing is trained.

With data N(mu, S^2), x_t = a x_0 + s eps has E[x_0 | x_t] = mu + a S^2 (x_t - a mu) / (a^2 S^2 + s^2).
"""

import math

import numpy as np
import pytest
import torch

from synthspec.backend.schedules import alpha_bars, visited_steps
from synthspec.ir.families import CosineSchedule, LinearSchedule, ScaledLinearSchedule
from synthspec_diffusers.heads import target, to_x0
from synthspec_diffusers.path import Path, estimate, integrate
from synthspec_diffusers.schedule import Grid, Levels
from synthspec_diffusers.solvers import fresh_solver

SCHEDULES = [
    LinearSchedule(name="linear", train_steps=1000),
    ScaledLinearSchedule(name="scaled_linear", train_steps=1000),
    CosineSchedule(name="cosine", train_steps=1000),
]
MU, S = 0.5, 0.3
HEADS = ["eps", "x0", "v"]


class ExactDenoiser:
    """Says with a head what the posterior mean of x_0 is; a label shifts the mean of its class."""

    def __init__(self, levels: Levels, head: str, mu=MU, s=S):
        self.levels, self.head, self.mu, self.s = levels, head, mu, s
        self.calls = []

    def __call__(self, x, times, labels):
        self.calls.append(len(x))
        shape = (-1, *(1,) * (x.dim() - 1))
        a, s = (torch.from_numpy(level)[times].view(shape) for level in (self.levels.a, self.levels.s))
        mu = self.mu if labels is None else self.mu + 0.1 * labels.to(x.dtype).view(shape)
        x0 = mu + a * self.s**2 * (x - a * mu) / (a**2 * self.s**2 + s**2)
        return target(self.head, x0, (x - a * x0) / s, a, s)


def path(levels, steps, solver="ddim", head="eps", w=0.0, null=None, bound=None):
    return Path(Grid.of(levels, steps), solver, head, w, None if null is None else torch.tensor(null), bound)


def no_noise(step):
    raise AssertionError("a deterministic solver drew noise")


def ddim_closed_form(grid: Grid, x, mu=MU, s=S):
    """x_end = mu + P (x_T - a_T mu), P = prod (a' a S^2 + s' s) / (a^2 S^2 + s^2)."""
    product = 1.0
    for i in range(len(grid.times)):
        a, b, a1, b1 = grid.a[i], grid.s[i], grid.a[i + 1], grid.s[i + 1]
        product *= (a1 * a * s**2 + b1 * b) / (a**2 * s**2 + b**2)
    return mu + product * (x - grid.a[0] * mu), product


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s.name)
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("steps", [1, 7, 10, 30, 1000])
def test_ddim_on_a_gaussian_is_the_closed_form(schedule, head, steps):
    levels = Levels.of(schedule)
    x = torch.linspace(-3, 3, 11, dtype=torch.float64).view(-1, 1, 1, 1)
    chosen = path(levels, steps, head=head)
    out = integrate(ExactDenoiser(levels, head), chosen, x, no_noise, None)
    expected, _ = ddim_closed_form(chosen.grid, x)
    # The eps head divides by a_T, 5e-5 on the cosine schedule: that many digits are lost at the first step.
    assert torch.allclose(out, expected, rtol=0, atol=1e-11 / chosen.grid.a[0])


@pytest.mark.parametrize(
    ("s", "steps", "spread"), [(0.3, 10, 0.19052), (0.3, 50, 0.27496), (1, 200, 0.99086), (2, 10, 1.71988)]
)
def test_spreads_that_diffusers_was_measured_to_give(s, steps, spread):
    """DDIM on the linear schedule with leading spacing, on the closed form of the design's section 3.4."""
    levels = Levels.of(SCHEDULES[0])
    visited = visited_steps(1000, steps, "leading")
    grid = Grid(tuple(visited.tolist()), np.append(levels.a[visited], 1.0), np.append(levels.s[visited], 0.0))
    x = torch.tensor([0.0, 1.0], dtype=torch.float64).view(-1, 1, 1, 1)
    denoiser = ExactDenoiser(levels, "x0", s=s)
    low, high = integrate(denoiser, Path(grid, "ddim", "x0", 0.0, None, None), x, no_noise, None).flatten()
    assert high - low == pytest.approx(spread, abs=6e-6)


@pytest.mark.parametrize("solver", ["ddim", "ddpm", "dpmsolver++", "unipc"])
def test_all_heads_are_one_estimate(solver):
    levels = Levels.of(SCHEDULES[1])
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 1, 2, 2, dtype=torch.float64, generator=generator)
    z = torch.randn(12, 5, 1, 2, 2, dtype=torch.float64, generator=generator)
    ends = [
        integrate(ExactDenoiser(levels, head), path(levels, 12, solver, head), x, lambda i: z[i], None)
        for head in HEADS
    ]
    assert torch.allclose(ends[0], ends[1], rtol=0, atol=1e-10)
    assert torch.allclose(ends[1], ends[2], rtol=0, atol=1e-10)


@pytest.mark.parametrize("head", HEADS)
def test_a_head_gives_back_what_it_was_made_of(head):
    x0, eps = torch.randn(2, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    a = torch.tensor(0.6, dtype=torch.float64)
    s = torch.tensor(0.8, dtype=torch.float64)
    x = a * x0 + s * eps
    assert torch.allclose(to_x0(head, target(head, x0, eps, a, s), x, 0.6, 0.8), x0)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s.name)
def test_levels_are_those_of_alpha_bar(schedule):
    levels = Levels.of(schedule)
    assert np.allclose(levels.a**2, alpha_bars(schedule), rtol=1e-12)
    assert np.allclose(levels.a**2 + levels.s**2, 1, rtol=1e-14)
    assert levels.s[0] ** 2 == pytest.approx(1 - alpha_bars(schedule)[0], rel=1e-9)


@pytest.mark.parametrize(("solver", "order"), [("ddim", 1), ("dpmsolver++", 2), ("unipc", 3)])
def test_order_of_convergence(solver, order):
    """Halving the step divides the error by 2^order; the corrector of UniPC adds one order to its predictor's."""
    lam = np.linspace(-1.5, 1.5, 2049)
    a, s = 1 / np.sqrt(1 + np.exp(-2 * lam)), 1 / np.sqrt(1 + np.exp(2 * lam))
    gaussian = lambda i: lambda x: MU + a[i] * S**2 * (x - a[i] * MU) / (a[i] ** 2 * S**2 + s[i] ** 2)  # noqa: E731
    variance = np.sqrt(a**2 * S**2 + s**2)
    exact = a[-1] * MU + variance[-1] / variance[0] * (1.7 - a[0] * MU)
    errors = []
    for stride in (32, 16):
        keep = np.arange(0, 2049, stride)
        grid = Grid(tuple(keep[:-1].tolist()), a[keep], s[keep])
        run, x = fresh_solver(solver, grid), torch.tensor(1.7, dtype=torch.float64)
        for i, index in enumerate(keep[:-1]):
            x = run.step(i, x, gaussian(index)(x), no_noise)
        errors.append(abs(float(x) - exact))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.35)


def test_ddpm_keeps_the_law_of_a_gaussian():
    """With every training step, ancestral sampling ends with the right mean and spread (S = 1: exactly unit variance)."""
    levels = Levels.of(SCHEDULES[0])
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(4000, 1, 1, 1, dtype=torch.float64, generator=rng)
    noise = lambda i: torch.randn(x.shape, dtype=torch.float64, generator=rng)  # noqa: E731
    out = integrate(ExactDenoiser(levels, "v"), path(levels, 1000, "ddpm", "v"), x, noise, None)
    assert out.mean() == pytest.approx(MU, abs=4 * S / 4000**0.5)
    assert out.std() == pytest.approx(S, rel=0.05)


def test_ddpm_draws_the_posterior_variance_and_nothing_at_the_end():
    """beta~ = (1 - alpha_bar') / (1 - alpha_bar) beta, beta = 1 - alpha_bar / alpha_bar' (Ho et al. 2020, eq. 7)."""
    grid = Grid.of(Levels.of(SCHEDULES[0]), 5)
    zero = torch.zeros(1, dtype=torch.float64)
    now, after = grid.a[2] ** 2, grid.a[3] ** 2
    spread = fresh_solver("ddpm", grid).step(2, zero, zero, lambda i: torch.ones_like(zero))
    assert spread.item() == pytest.approx(math.sqrt((1 - after) / (1 - now) * (1 - now / after)))
    assert fresh_solver("ddpm", grid).step(4, zero, zero + 0.3, no_noise).item() == pytest.approx(0.3)


def test_guidance_is_linear_in_w_and_plain_at_zero():
    levels = Levels.of(SCHEDULES[2])
    x = torch.randn(4, 1, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    labels = torch.tensor([0, 1, 2, 3])
    at = lambda w: estimate(  # noqa: E731
        ExactDenoiser(levels, "v"), path(levels, 10, head="v", w=w, null=9), 3, x, labels
    )
    plain = estimate(ExactDenoiser(levels, "v"), path(levels, 10, head="v"), 3, x, labels)
    assert torch.equal(at(0.0), plain)
    assert torch.allclose(at(1.5) - at(0.0), 3 * (at(0.5) - at(0.0)), rtol=1e-12, atol=1e-12)
    assert not torch.allclose(at(0.5), plain)


@pytest.mark.parametrize("head", HEADS)
def test_guidance_of_any_head_is_the_formula_of_the_standard(head):
    """S405-6 is written for eps: eps + w (eps - eps_null)."""
    levels = Levels.of(SCHEDULES[1])
    w, step = 0.7, 4
    chosen = path(levels, 10, head=head, w=w, null=9)
    x = torch.randn(3, 1, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    labels = torch.tensor([0, 1, 2])
    teller = ExactDenoiser(levels, "eps")
    times = torch.full((3,), chosen.grid.times[step])
    eps, null = teller(x, times, labels), teller(x, times, torch.full((3,), 9))
    expected = to_x0("eps", eps + w * (eps - null), x, chosen.grid.a[step], chosen.grid.s[step])
    assert torch.allclose(estimate(ExactDenoiser(levels, head), chosen, step, x, labels), expected, atol=1e-12)


def test_guidance_doubles_the_batch_and_nothing_else_does():
    levels = Levels.of(SCHEDULES[2])
    x, labels = torch.zeros(4, 1, 2, 2, dtype=torch.float64), torch.zeros(4, dtype=torch.int64)
    for w, expected in ((0.0, [4] * 6), (0.5, [8] * 6)):
        network = ExactDenoiser(levels, "v")
        integrate(network, path(levels, 6, "unipc", "v", w=w, null=9), x, no_noise, labels)
        assert network.calls == expected


def test_estimates_are_clipped_where_the_data_are_bounded():
    levels = Levels.of(SCHEDULES[2])
    x = torch.full((1, 1, 1, 1), 40.0, dtype=torch.float64)
    network = ExactDenoiser(levels, "eps", s=2.0)
    assert estimate(network, path(levels, 10, bound=1.0), 8, x, None).item() == 1.0
    assert estimate(network, path(levels, 10), 8, x, None).item() > 1.0


def test_more_steps_than_the_schedule_has_are_refused():
    with pytest.raises(ValueError, match="11 solver steps"):
        Grid.of(Levels.of(LinearSchedule(name="linear", train_steps=10)), 11)
