"""Laws of all schedules and solvers in float64, on Gaussians and mixtures whose denoisers are known: nothing is trained.

With data N(mu, S^2), x = a x_0 + s eps has E[x_0 | x] = mu + a S^2 (x - a mu) / (a^2 S^2 + s^2), and the probability-flow
ODE keeps every record at its quantile of N(a mu, a^2 S^2 + s^2).
"""

import math

import numpy as np
import pytest
import torch

from synthspec.ir.families import (
    CosineSchedule,
    EdmSchedule,
    FlowMatchingSchedule,
    IntervalGuidance,
    LinearGuidance,
    LinearSchedule,
)
from synthspec.ir.solvers import SOLVERS, evaluations
from synthspec_diffusers.heads import target, to_x0
from synthspec_diffusers.path import Adaptive, Path, estimate, first, integrate
from synthspec_diffusers.schedule import TOLD, Grid, Levels, Process, curve_of, nearest
from synthspec_diffusers.solvers import fresh_solver

MU, S = 0.5, 0.3
EDM = EdmSchedule(name="edm")
FLOW = FlowMatchingSchedule(name="flow_matching")
COSINE = CosineSchedule(name="cosine", train_steps=1000)
LINEAR = LinearSchedule(name="linear", train_steps=1000)
TO_ZERO = LinearSchedule(name="linear", train_steps=1000, zero_terminal_snr=True)
HEADS = {"edm": "edm", "flow_matching": "flow", "cosine": "v", "linear": "v"}
SCHEDULES = [EDM, FLOW, COSINE, TO_ZERO]
X = torch.linspace(-3, 3, 11, dtype=torch.float64).view(-1, 1)


def told(schedule, times):
    """Signal and noise at what a network is told, in float64."""
    match schedule:
        case EdmSchedule():
            low, high = math.log(schedule.sigma_min), math.log(schedule.sigma_max)
            return torch.ones_like(times), torch.exp(low + times / TOLD * (high - low))
        case FlowMatchingSchedule():
            return 1 - times / TOLD, times / TOLD
        case _:
            levels = Levels.of(schedule)
            return torch.from_numpy(levels.a)[times], torch.from_numpy(levels.s)[times]


class Exact:
    """Says with the head of a schedule what the posterior mean of x_0 is; sees x as the network would."""

    def __init__(self, schedule, mu=MU, s=S, sigma_data=S):
        self.schedule, self.head, self.mu, self.s, self.sigma_data = schedule, HEADS[schedule.name], mu, s, sigma_data
        self.rows = []

    def mean(self, x, a, s, given):
        mu = self.mu if given is None else self.mu + given.to(x.dtype).view(-1, 1)
        return mu + a * self.s**2 * (x - a * mu) / (a**2 * self.s**2 + s**2)

    def __call__(self, seen, times, given):
        self.rows.append(len(seen))
        a, s = (level.view(-1, *(1,) * (seen.dim() - 1)) for level in told(self.schedule, times))
        x = seen * torch.sqrt(s**2 + self.sigma_data**2) if self.head == "edm" else seen
        x0 = self.mean(x, a, s, given)
        return target(self.head, x0, (x - a * x0) / s, a, s, self.sigma_data)


def path(schedule, steps, solver="ddim", **options):
    grid = Grid.along(schedule, steps)
    return Path(grid, solver, HEADS[schedule.name], 0.0, None, None, **{"sigma_data": S, **options})


def no_noise(step):
    raise AssertionError("a deterministic solver drew noise")


def spread(grid, level):
    return math.sqrt(grid.a[level] ** 2 * S**2 + grid.s[level] ** 2)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s.name)
@pytest.mark.parametrize("steps", [1, 7, 20, 200])
def test_ddim_on_a_gaussian_is_the_closed_form_on_every_curve(schedule, steps):
    """x_end = mu + P (x_T - a_T mu), P = prod (a' a S^2 + s' s) / (a^2 S^2 + s^2)."""
    chosen = path(schedule, steps)
    grid, product = chosen.grid, 1.0
    for i in range(steps):
        a, s, a1, s1 = grid.a[i], grid.s[i], grid.a[i + 1], grid.s[i + 1]
        product *= (a1 * a * S**2 + s1 * s) / (a**2 * S**2 + s**2)
    out = integrate(Exact(schedule), chosen, X, no_noise, None)
    expected = MU + product * (first(grid, X) - grid.a[0] * MU)
    assert torch.allclose(out, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("schedule", [EDM, FLOW], ids=lambda s: s.name)
def test_euler_is_ddim_on_straight_curves(schedule):
    ends = [integrate(Exact(schedule), path(schedule, 12, solver), X, no_noise, None) for solver in ("ddim", "euler")]
    assert torch.allclose(*ends, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2), ("dpmsolver++", 2)])
@pytest.mark.parametrize("curve", ["vp", "ve", "linear"])
def test_order_of_convergence(solver, order, curve):
    """Between two noise levels, halving the steps divides the distance to the probability-flow ODE by 2^order."""
    fine = np.linspace(1.4, 0.2, 1025)
    a, s = {
        "vp": (np.cos(fine), np.sin(fine)),
        "ve": (np.ones_like(fine), fine * 2),
        "linear": (1 - fine / 1.5, fine / 1.5),
    }[curve]
    wide = np.sqrt(a**2 * S**2 + s**2)
    exact = a[-1] * MU + wide[-1] / wide[0] * (1.7 - a[0] * MU)
    law, errors = SOLVERS[solver], []
    for stride in (8, 4):
        keep = np.arange(0, 1025, stride)
        grid = Grid(tuple(keep.tolist()), a[keep], s[keep], curve)
        run, x = fresh_solver(solver, grid), torch.tensor(1.7, dtype=torch.float64)
        # Heun's step is over after its second call, which is at the end of the interval.
        for call in range(law.per_step * (len(keep) - 1)):
            level = law.level(call)
            now_a, now_s = grid.a[level], grid.s[level]
            x = run.step(call, x, MU + now_a * S**2 * (x - now_a * MU) / (now_a**2 * S**2 + now_s**2), no_noise)
        errors.append(abs(float(x) - exact))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.35)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s.name)
@pytest.mark.parametrize("solver", ["heun", "dpmsolver++", "unipc"])
def test_many_steps_end_where_the_ode_does(schedule, solver):
    chosen = path(schedule, 400, solver)
    start = first(chosen.grid, X)
    exact = MU + S / spread(chosen.grid, 0) * (start - chosen.grid.a[0] * MU)
    assert torch.allclose(integrate(Exact(schedule), chosen, X, no_noise, None), exact, rtol=0, atol=5e-3)


@pytest.mark.parametrize("solver", [name for name, law in SOLVERS.items() if not law.adaptive])
@pytest.mark.parametrize("steps", [1, 5])
def test_calls_are_those_of_the_law(solver, steps):
    network = Exact(LINEAR)
    noise = lambda i: torch.zeros_like(X)  # noqa: E731
    integrate(network, path(LINEAR, steps, solver), X, noise, None)
    assert network.rows == [len(X)] * evaluations(SOLVERS[solver], steps, guided=False)


@pytest.mark.parametrize(
    ("solver", "schedule", "steps"),
    [
        ("euler_maruyama", LINEAR, 250),
        ("euler_maruyama", EDM, 250),
        ("dpmsolver++_sde", LINEAR, 40),
        ("dpmsolver++_sde", EDM, 40),
        ("dpmsolver++_sde", FLOW, 40),
        ("ddpm", FLOW, 250),
        ("ddpm", EDM, 250),
    ],
)
def test_stochastic_solvers_keep_the_law_of_a_gaussian(solver, schedule, steps):
    """Every step is affine in x and the noise, so mean and variance follow exactly; many steps have the right ones."""
    # One row a source of randomness: none, the start, and the noise of each step.
    start = torch.zeros(steps + 2, 1).double()
    start[1] = 1.0
    noise = lambda i: (torch.arange(steps + 2) == i + 2).double()[:, None]  # noqa: E731
    ends = integrate(Exact(schedule), path(schedule, steps, solver), start, noise, None)
    mean = ends[0].item()
    deviation = (ends - mean).square().sum().sqrt().item()
    assert mean == pytest.approx(MU, abs=0.02)
    assert deviation == pytest.approx(S, rel=0.05)


def test_euler_maruyama_is_the_recursion_of_the_reverse_sde():
    """One step of dx = [f - g^2 score] dt + g dw on the linear schedule, written out with B = -log of alpha_bar's ratio."""
    grid = Grid.along(LINEAR, 10)
    x, m, z = (torch.tensor([[value]]).double() for value in (0.7, -0.2, 1.3))
    spent = math.log(grid.a[4] ** 2 / grid.a[3] ** 2)
    score = (grid.a[3] * m - x) / grid.s[3] ** 2
    expected = x + 0.5 * spent * x + spent * score + math.sqrt(spent) * z
    assert torch.allclose(fresh_solver("euler_maruyama", grid).step(3, x, m, lambda i: z), expected)


def test_half_the_sde_is_the_ode():
    """Song et al. 2021, eq. 13: the flow takes half of g^2 score; in the limit of small steps the solvers agree on it."""
    grid = Grid.along(LINEAR, 1000)
    x, m = torch.tensor([[0.7]]).double(), torch.tensor([[-0.2]]).double()
    sde = fresh_solver("euler_maruyama", grid).step(500, x, m, lambda i: torch.zeros(1, 1).double()) - x
    ode = fresh_solver("euler", grid).step(500, x, m, no_noise) - x
    drift = math.log(grid.a[501] / grid.a[500]) * x
    assert torch.allclose(2 * (ode - drift), sde - drift, rtol=0.02)


@pytest.mark.parametrize("schedule", [EDM, FLOW, LINEAR, TO_ZERO], ids=lambda s: s.name)
def test_grids_go_from_noise_to_data(schedule):
    for steps in (1, 2, 30):
        grid = Grid.along(schedule, steps)
        assert len(grid.times) == steps
        assert (grid.a[-1], grid.s[-1]) == (1.0, 0.0)
        assert (np.diff(grid.s) < 0).all()
        curve = {"vp": grid.a**2 + grid.s**2, "ve": grid.a, "linear": grid.a + grid.s}[curve_of(schedule)]
        assert np.allclose(curve, 1.0, rtol=1e-12)
        a, s = told(schedule, torch.tensor(grid.times))
        assert np.allclose(a.numpy(), grid.a[:-1])
        assert np.allclose(s.numpy(), grid.s[:-1])
    assert Grid.along(schedule, 5).a[0] == pytest.approx(
        {"edm": 1.0, "flow_matching": 0.0}.get(schedule.name, 0.0), abs=0.01
    )


def test_edm_levels_are_those_of_karras():
    grid = Grid.along(EDM, 18)
    root = lambda sigma: sigma ** (1 / 7)  # noqa: E731
    assert np.allclose(np.diff(root(grid.s[:-1])), (root(0.002) - root(80.0)) / 17)
    assert grid.times[0] == pytest.approx(TOLD)
    assert grid.times[-1] == pytest.approx(0.0, abs=1e-9)


def test_training_noises_along_the_laws_of_the_schedules():
    u = (torch.arange(20000).double() + 0.5) / 20000
    log_sigma = Process(EDM).at(u).s.log()
    assert log_sigma.mean().item() == pytest.approx(-1.2, abs=1e-3)
    assert log_sigma.std().item() == pytest.approx(1.2, abs=2e-3)
    marks = Process(FLOW).at(u)
    assert torch.logit(marks.s).std().item() == pytest.approx(1.0, abs=2e-3)
    assert torch.allclose(marks.a + marks.s, torch.ones(20000).double())
    assert torch.allclose(marks.times, TOLD * marks.s)


def test_zero_terminal_snr_ends_in_noise_and_starts_as_before():
    plain, shifted = Levels.of(LINEAR), Levels.of(TO_ZERO)
    assert (shifted.a[-1], shifted.s[-1]) == (0.0, 1.0)
    assert shifted.a[0] == pytest.approx(plain.a[0], rel=1e-15)
    assert (np.diff(shifted.a) < 0).all()
    assert np.allclose(shifted.a**2 + shifted.s**2, 1.0, rtol=1e-14)


@pytest.mark.parametrize("schedule", [EDM, FLOW, COSINE], ids=lambda s: s.name)
@pytest.mark.parametrize("tolerance", [0.05, 0.005])
def test_an_adaptive_solver_keeps_its_tolerance_or_its_cap(schedule, tolerance):
    network = Exact(schedule)
    made = Adaptive(schedule, path(schedule, 2, "heun_adaptive"), tolerance, 10_000)
    start = X / 1.5
    out, forced = made.integrate(network, start, None)
    grid = Grid.stretch(schedule, (1.0,))
    exact = MU + S / spread(grid, 0) * (first(grid, start) - grid.a[0] * MU)
    assert forced == 0
    assert torch.allclose(out, exact, rtol=0, atol=4 * tolerance)
    spent = len(network.rows)
    for cap in (1, 2, 3, 4, 9, spent - 1, spent):
        capped = Exact(schedule)
        out, forced = Adaptive(schedule, made.path, tolerance, cap).integrate(capped, start, None)
        assert len(capped.rows) <= cap
        assert out.isfinite().all()
        assert forced or cap in (1, 2, spent, spent - 1)


def test_a_tighter_tolerance_costs_more_and_errs_less():
    errors, costs = [], []
    grid = Grid.stretch(EDM, (1.0,))
    exact = MU + S / spread(grid, 0) * (first(grid, X) - MU)
    for tolerance in (0.1, 0.01, 0.001):
        network = Exact(EDM)
        out, _ = Adaptive(EDM, path(EDM, 2, "heun_adaptive"), tolerance, 10_000).integrate(network, X, None)
        errors.append((out - exact).abs().max().item())
        costs.append(len(network.rows))
    assert costs == sorted(set(costs))
    assert errors == sorted(errors, reverse=True)


def test_where_nothing_is_ahead_there_is_hardly_any_noise():
    for schedule in (EDM, FLOW, COSINE):
        grid = Grid.stretch(schedule, (nearest(schedule),))
        assert grid.s[0] / grid.a[0] < 0.01


@pytest.mark.parametrize("solver", ["heun", "dpmsolver++", "ddpm"])
@pytest.mark.parametrize(
    "way",
    [IntervalGuidance(name="interval", low=0.3, high=0.7), LinearGuidance(name="linear", start=0.0, end=1.0), None],
)
def test_guidance_of_part_of_the_way_costs_what_is_planned(solver, way):
    given, steps = torch.zeros(len(X), 1).double(), 10
    network = Exact(COSINE)
    chosen = Path(Grid.along(COSINE, steps), solver, "v", 0.7, torch.ones(1).double(), None, S, way)
    integrate(network, chosen, X, lambda i: torch.zeros_like(X), given)
    assert sum(network.rows) == len(X) * evaluations(SOLVERS[solver], steps, guided=True, schedule=way)


def test_guidance_outside_of_its_interval_is_the_plain_model_to_the_bit():
    given = torch.zeros(len(X), 1).double()
    way = IntervalGuidance(name="interval", low=0.3, high=0.7)
    chosen = Path(Grid.along(FLOW, 10), "ddim", "flow", 0.7, torch.ones(1).double(), None, S, way)
    plain = Path(chosen.grid, "ddim", "flow", 0.0, None, None, S)
    for step in range(10):
        network = Exact(FLOW)
        same = torch.equal(estimate(network, chosen, step, X, given), estimate(Exact(FLOW), plain, step, X, given))
        inside = 1 - step / 10 + 1e-12 >= 0.3 and 1 - step / 10 <= 0.7 + 1e-12
        assert same != inside
        assert network.rows == [len(X) * (2 if inside else 1)]


def test_linear_guidance_goes_from_its_start_to_its_end():
    given, null = torch.zeros(len(X), 1).double(), torch.ones(1).double()
    for step, share in ((0, 0.25), (5, 0.625), (8, 0.85)):
        way = LinearGuidance(name="linear", start=0.25, end=1.0)
        moving = Path(Grid.along(COSINE, 10), "ddim", "v", 2.0, null, None, S, way)
        still = Path(moving.grid, "ddim", "v", 2.0 * share, null, None, S)
        found, expected = (estimate(Exact(COSINE), each, step, X, given) for each in (moving, still))
        assert torch.allclose(found, expected, rtol=1e-12)


def mixture_mean(x, a, s, means, spread):
    """E[x_0 | x] of a mixture of equal Gaussians N(means[k], spread^2 I), means [k, d]."""
    total = a**2 * spread**2 + s**2
    off = x[:, None, :] - a * means
    shares = torch.softmax(-off.square().sum(-1) / (2 * total), 1)
    each = means + a * spread**2 / total * off
    return (shares[..., None] * each).sum(1)


@pytest.mark.parametrize(
    ("schedule", "solver", "steps"), [(EDM, "heun", 18), (FLOW, "heun", 18), (EDM, "dpmsolver++", 36)]
)
def test_an_exact_denoiser_of_eight_gaussians_finds_all_of_them(schedule, solver, steps):
    angles = torch.arange(8).double() * math.pi / 4
    means = torch.stack([angles.cos(), angles.sin()], 1) * math.sqrt(2)

    class Mixture(Exact):
        def mean(self, x, a, s, given):
            return mixture_mean(x, a[:1], s[:1], means, 0.1)

    start = torch.randn(800, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    out = integrate(
        Mixture(schedule, sigma_data=1.0), path(schedule, steps, solver, sigma_data=1.0), start, no_noise, None
    )
    distance, mode = torch.cdist(out, means).min(1)
    assert (distance < 0.3).double().mean() > 0.97
    assert torch.bincount(mode, minlength=8).min() > 60
    assert distance.square().mean().sqrt().item() == pytest.approx(0.1 * math.sqrt(2), rel=0.25)


def test_the_preconditioned_head_is_the_identity_without_noise_and_has_unit_variance():
    """Karras et al. 2022: D(x) -> x as sigma -> 0; c_in x and the target of F have unit variance at every sigma."""
    generator = torch.Generator().manual_seed(1)
    sd = 0.5
    x0, eps = (
        sd * torch.randn(200_000, dtype=torch.float64, generator=generator),
        torch.randn(200_000, dtype=torch.float64, generator=generator),
    )
    one = torch.tensor(1.0).double()
    for sigma in (0.002, 0.3, 1.0, 80.0):
        s = torch.tensor(sigma).double()
        f = target("edm", x0, eps, one, s, sd)
        assert f.var().item() == pytest.approx(1.0, rel=0.02)
        assert torch.allclose(to_x0("edm", f, x0 + s * eps, one, s, sd), x0, atol=1e-9)
    tiny = to_x0("edm", torch.randn(5).double(), x0[:5], 1.0, 1e-9, sd)
    assert torch.allclose(tiny, x0[:5], atol=1e-8)
