"""The analytic Gaussian against 60-digit values (mpmath), and as a law: eps, sigma and delta are inverse to each other."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.accounting import Gaussian, Repeated, eps_total, gaussian_eps, gaussian_sigma
from synthspec.accounting.gaussian import gaussian_delta

EPS = [
    (0.5, 1e-5, 9.9972561464343), (0.5, 1e-6, 10.99715121422065), (0.8, 1e-5, 5.679586855097566),
    (1, 1e-5, 4.377178095681225), (1, 1e-6, 4.886554117462212), (1, 1e-9, 6.173935046670908),
    (2, 1e-5, 1.99309140441512), (4, 1e-5, 0.9263415039982294), (10, 1e-5, 0.3406693646843264),
    (100, 1e-3, 0.009048072593038798), (1, 0.1, 1.160333852791617),
]  # fmt: skip
SIGMA = [
    (0.1, 1e-5, 30.74956613197745), (0.5, 1e-5, 7.031826675582491), (1, 1e-5, 3.730631634815942),
    (1, 1e-6, 4.224678889326835), (2, 1e-5, 1.993812445643537), (3, 1e-6, 1.54386141777564),
    (5, 1e-5, 0.891868264951518), (8, 1e-5, 0.6002290721989516), (10, 1e-5, 0.4998886197090085),
]  # fmt: skip


@pytest.mark.parametrize(("sigma", "delta", "eps"), EPS)
def test_eps_of_a_known_mechanism(sigma, delta, eps):
    assert gaussian_eps(sigma, delta) == pytest.approx(eps, abs=1e-10, rel=1e-12)


@pytest.mark.parametrize(("eps", "delta", "sigma"), SIGMA)
def test_sigma_of_a_known_mechanism(eps, delta, sigma):
    assert gaussian_sigma(eps, delta) == pytest.approx(sigma, rel=1e-12)


def test_the_textbook_formula_adds_too_little_noise():
    assert math.sqrt(2 * math.log(1.25 / 1e-5)) / 10 < gaussian_sigma(10, 1e-5)


@given(st.floats(1e-3, 1e3), st.floats(-12, -0.5))
def test_eps_is_the_least_that_meets_delta(sigma, log_delta):
    delta = 10**log_delta
    eps = gaussian_eps(sigma, delta)
    assert gaussian_delta(eps, sigma) <= delta
    assert eps == 0 or gaussian_delta(eps * (1 - 1e-9), sigma) > delta * (1 - 1e-9)


@given(st.floats(1e-3, 1e3), st.floats(-12, -0.5))
def test_sigma_is_the_least_that_meets_eps(eps, log_delta):
    sigma = gaussian_sigma(eps, 10**log_delta)
    assert gaussian_eps(sigma, 10**log_delta) <= eps * (1 + 1e-10)
    assert gaussian_eps(sigma * (1 - 1e-6), 10**log_delta) > eps * (1 - 1e-9)


def test_extremes():
    assert gaussian_eps(1, 0.5) == 0.0
    assert gaussian_eps(0, 1e-5) == math.inf
    assert gaussian_eps(1, 0) == math.inf
    assert gaussian_sigma(1, 0) == math.inf
    assert gaussian_eps(1e-6, 1e-5) == pytest.approx(5e11, rel=1e-4)  # 1 / 2 sigma^2, far from overflow
    assert gaussian_delta(0.0, 1e6) == pytest.approx(1 / (1e6 * math.sqrt(2 * math.pi)), rel=1e-9)


def test_the_accountant_of_closed_forms_composes_exactly():
    spent = eps_total(Repeated(Gaussian(10.0), 100), 1e-5, "analytic")
    assert spent.eps == pytest.approx(4.377178095681225, abs=1e-9)
    assert spent.eps >= 4.377178095681225
    replaced = eps_total(Gaussian(1.0), 1e-5, "analytic", "replace_one")
    assert replaced.eps == pytest.approx(9.9972561464343, abs=1e-9)
