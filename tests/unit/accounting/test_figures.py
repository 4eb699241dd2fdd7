"""The figures of the accountants: against a second implementation (privacy.md 1.2), and against integrals done here."""

import math

import numpy as np
import pytest
from dp_accounting import dp_event
from dp_accounting.rdp import RdpAccountant

from synthspec.accounting import Composed, Gaussian, Laplace, PoissonGaussian, Repeated, eps_total, numeric, quick_bound
from synthspec.accounting.bound import ORDERS
from synthspec.accounting.spend import raw_spend

MNIST = 256 / 60000
TRUTH = {
    "A1": (0.01, 1.0, 1000, 1.82824), "A2": (0.01, 4.0, 10000, 0.94687), "A3": (MNIST, 1.1, 14063, 2.38169),
    "A4": (MNIST, 1.3, 3516, 0.86454), "A5": (MNIST, 0.7, 10547, 5.63968), "A6": (0.064, 1.0, 469, 9.58323),
    "A8": (0.1, 2.0, 500, 5.55547), "A11": (1.0, 10.0, 100, 4.37718),
}  # fmt: skip
"""From a mean-matched FFT written from scratch, converged, at delta 1e-5."""
RENYI = {
    "A1": 2.10137, "A2": 1.03549, "A3": 2.59666, "A4": 0.95456, "A5": 6.31975, "A6": 10.53859, "A8": 6.03456,
    "A11": 4.72851,
}  # fmt: skip


@pytest.mark.parametrize("row", TRUTH)
def test_pld_is_in_the_band_of_the_truth(row):
    rate, sigma, steps, truth = TRUTH[row]
    spent = eps_total(PoissonGaussian(rate, sigma, steps), 1e-5)
    assert truth - 1e-5 <= spent.eps <= truth + 0.001
    assert (spent.accountant, spent.version) == ("pld", "dp-accounting 0.6.0")


@pytest.mark.parametrize("row", RENYI)
def test_rdp_is_the_published_figure(row):
    rate, sigma, steps, _ = TRUTH[row]
    spent = eps_total(PoissonGaussian(rate, sigma, steps), 1e-5, "rdp")
    assert spent.eps == pytest.approx(RENYI[row], abs=2e-4)
    assert spent.accountant == "rdp"


def test_neighbours_that_replace_a_record():
    event = PoissonGaussian(0.01, 1.1, 10000)
    assert eps_total(event, 1e-5).eps == pytest.approx(5.19258, abs=1e-3)
    assert eps_total(event, 1e-5, "pld", "replace_one").eps == pytest.approx(9.42494, abs=0.01)
    assert eps_total(event, 1e-5, "pld", "zero_out").eps == eps_total(event, 1e-5).eps


def test_a_figure_is_rounded_up():
    spent = eps_total(PoissonGaussian(0.01, 1.0, 1000), 1e-5)
    assert spent.eps == 1.8283
    assert spent.delta == 1e-5


GRID = np.arange(-60, 60, 1e-3)


def _normal(mean, sigma):
    return np.exp(-((GRID - mean) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))


def _eps_by_integration(p, q, delta):
    """The least eps with max(p - e^eps q, 0) integrating to delta, in both directions."""

    def excess(eps):
        ways = (p - math.exp(eps) * q, q - math.exp(eps) * p)
        return max(float(np.clip(way, 0, None).sum()) * 1e-3 for way in ways)

    low, high = 0.0, 30.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if excess(middle) <= delta else (middle, high)
    return high


@pytest.mark.parametrize(("rate", "sigma", "delta"), [(0.01, 1.5, 1e-5), (0.8, 4.0, 1e-6)])
def test_one_step_by_integration(rate, sigma, delta):
    with_it = (1 - rate) * _normal(0, sigma) + rate * _normal(1, sigma)
    replaced = (1 - rate) * _normal(0, sigma) + rate * _normal(-1, sigma)
    event = PoissonGaussian(rate, sigma, 1)
    for adjacency, other in (("add_remove", _normal(0, sigma)), ("replace_one", replaced)):
        truth = _eps_by_integration(with_it, other, delta)
        assert truth - 1e-6 <= eps_total(event, delta, "pld", adjacency).eps <= truth + 3e-4


def test_several_records_of_a_unit_by_integration():
    shares = [math.comb(3, i) * 0.2**i * 0.8 ** (3 - i) for i in range(4)]
    with_it = sum(share * _normal(i, 4.0) for i, share in enumerate(shares))
    truth = _eps_by_integration(with_it, _normal(0, 4.0), 1e-5)
    event = PoissonGaussian(0.2, 4.0, 1, contributions=3)
    spent = eps_total(event, 1e-5).eps
    assert truth - 1e-6 <= spent <= truth + 1e-3
    assert eps_total(PoissonGaussian(0.2, 4.0, 1), 1e-5, "rdp").eps < spent < eps_total(event, 1e-5, "rdp").eps


def test_laplace_by_integration():
    density = np.exp(-np.abs(GRID) / 2) / 4
    moved = np.exp(-np.abs(GRID - 1) / 2) / 4
    truth = _eps_by_integration(density, moved, 0.01)
    assert truth - 1e-6 <= eps_total(Laplace(2.0), 0.01).eps <= truth + 1e-3
    assert eps_total(Laplace(2.0), 0.0).eps == 0.5
    assert eps_total(Laplace(2.0), 0.0, "pld", "replace_one").eps == 1.0
    assert eps_total(Laplace(2.0), 1e-9, "pld", "replace_one").eps == 1.0
    assert eps_total(Repeated(Laplace(2.0), 6), 0.0).eps == 3.0


def test_two_kinds_of_noise_by_composing_losses():
    """Gaussian and Laplace on one data set: the product of the densities, integrated on a plane."""
    step = 0.02
    x = np.arange(-15, 15, step)
    gauss = [np.exp(-((x - mean) ** 2) / 8) / math.sqrt(8 * math.pi) for mean in (0, 1)]
    laplace = [np.exp(-np.abs(x - mean)) / 2 for mean in (0, 1)]
    p, q = (np.outer(a, b) for a, b in zip(gauss, laplace, strict=True))
    eps = eps_total(Composed((Gaussian(2.0), Laplace(1.0))), 1e-3).eps
    excess = float(np.clip(p - math.exp(eps) * q, 0, None).sum()) * step**2
    assert excess <= 1e-3
    assert float(np.clip(p - math.exp(eps - 0.01) * q, 0, None).sum()) * step**2 > 1e-3 * 0.98


def test_the_quick_bound_is_renyi_at_whole_orders():
    for rate, sigma, steps in ((0.01, 1.0, 1000), (0.2, 5.0, 50), (0.001, 0.6, 5000)):
        accountant = RdpAccountant(ORDERS)
        accountant.compose(dp_event.PoissonSampledDpEvent(rate, dp_event.GaussianDpEvent(sigma)), steps)
        accountant.compose(dp_event.LaplaceDpEvent(3.0), 2)
        accountant.compose(dp_event.GaussianDpEvent(4.0))
        event = Composed((PoissonGaussian(rate, sigma, steps), Repeated(Laplace(3.0), 2), Gaussian(4.0)))
        assert quick_bound(event, 1e-6).eps == pytest.approx(float(accountant.get_epsilon(1e-6)), abs=1.1e-4)


def test_a_library_that_rounds_a_divergence_to_zero_is_not_believed():
    """Of 10^14 coins of 10^-10, the distance of the two outputs is that of Gaussians 10^-5 apart: 4e-6 is over delta."""
    event, delta = PoissonGaussian(1e-10, 100.0, 10**14), 1e-8
    accountant = RdpAccountant()
    accountant.compose(dp_event.PoissonSampledDpEvent(1e-10, dp_event.GaussianDpEvent(100.0)), 10**14)
    assert accountant.get_epsilon(delta) == 0
    assert eps_total(event, delta, "rdp").eps == quick_bound(event, delta).eps > 0


def test_a_delta_that_covers_everything():
    event = PoissonGaussian(1e-8, 100.0, 10**6)
    assert quick_bound(event, 1e-6).eps == 0
    assert quick_bound(event, 1e-10).eps > 0


@pytest.mark.parametrize("sigma", [0.4, 1.0, 2.5, 7.0])
def test_pld_is_never_above_the_closed_form(sigma):
    for delta in (1e-3, 1e-6, 1e-9):
        event = Repeated(PoissonGaussian(1.0, sigma, 3), 2)
        pld, closed = (eps_total(event, delta, by) for by in ("pld", "analytic"))
        assert pld.accountant == "pld"
        assert closed.eps - 1e-9 <= pld.eps <= closed.eps + 1e-4
        assert raw_spend(event, delta, "pld", "zero_out").eps <= closed.eps


def test_every_step_is_composed(monkeypatch):
    whole = eps_total(PoissonGaussian(0.01, 2.0, 47), 1e-5).eps
    monkeypatch.setattr(numeric, "_MANY_STEPS", 10)
    assert raw_spend(PoissonGaussian(0.01, 2.0, 47), 1e-5, "pld", "zero_out").eps == pytest.approx(whole, abs=1.1e-4)


@pytest.mark.parametrize("delta", [1e-11, 1e-15, 1e-30])
def test_where_transforms_lose_their_digits_pld_gives_way(delta):
    sampled = eps_total(PoissonGaussian(0.01, 2.0, 1000), delta)
    assert sampled.accountant == "rdp"
    assert sampled.eps > eps_total(PoissonGaussian(0.01, 2.0, 1000), 1e-10).eps
    assert eps_total(Gaussian(1.0), delta).accountant == "analytic"


@pytest.mark.parametrize("steps", [10**9, 10**12, 10**15])
def test_a_great_many_steps(steps):
    spent = eps_total(PoissonGaussian(0.5, 1e5, steps), 1e-6)
    assert spent.eps <= quick_bound(PoissonGaussian(0.5, 1e5, steps), 1e-6).eps
    assert spent.eps >= 0.4 * 0.5 * math.sqrt(steps) / 1e5  # far below the limit of a Gaussian of that signal


def test_losses_too_wide_for_a_grid():
    spent = eps_total(PoissonGaussian(0.2, 0.05, 100), 1e-5)
    assert spent.accountant == "rdp"
    assert spent.eps > 1000
