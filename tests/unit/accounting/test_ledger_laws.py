"""Laws of a ledger: nothing is left out, order and grouping do not matter, more of anything costs more."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.accounting import Composed, Gaussian, Laplace, PoissonGaussian, Repeated, Unknown, eps_total, quick_bound
from synthspec.accounting.events import MAX_RELEASES, ledger
from synthspec.accounting.spend import round_up

SCALES = st.floats(0.3, 20)
LEAVES = st.one_of(
    st.builds(Gaussian, SCALES),
    st.builds(Laplace, SCALES),
    st.builds(PoissonGaussian, st.floats(1e-4, 1), SCALES, st.integers(1, 500), st.integers(1, 3)),
)
EVENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Repeated, inner, st.integers(0, 4)), st.builds(Composed, st.lists(inner, max_size=3).map(tuple))
    ),
    max_leaves=5,
)
ADJACENCIES = st.sampled_from(["zero_out", "add_remove", "replace_one"])
SAME = settings(max_examples=40, deadline=None)


@SAME
@given(EVENTS, st.integers(0, 5), ADJACENCIES)
def test_repeating_equals_composing(event, times, adjacency):
    again = Composed((event,) * times)
    assert ledger(Repeated(event, times)) == ledger(again)
    assert quick_bound(Repeated(event, times), 1e-5, adjacency) == quick_bound(again, 1e-5, adjacency)


@pytest.mark.parametrize("accountant", ["pld", "rdp"])
def test_repeating_equals_composing_by_every_accountant(accountant):
    parts = (PoissonGaussian(0.05, 1.5, 40), Gaussian(6.0), Laplace(5.0))
    one = eps_total(Repeated(Composed(parts), 3), 1e-5, accountant)
    other = eps_total(Composed(tuple(reversed(parts)) * 3), 1e-5, accountant)
    assert one == other


def test_steps_are_releases():
    assert ledger(Repeated(PoissonGaussian(0.1, 1.0, 1), 50)) == ledger(PoissonGaussian(0.1, 1.0, 50))
    assert ledger(PoissonGaussian(1.0, 5.0, 25)) == ledger(Repeated(Gaussian(5.0), 25))
    assert ledger(PoissonGaussian(1.0, 5.0, 1, 5)) == ledger(Gaussian(1.0))


@SAME
@given(EVENTS, EVENTS, ADJACENCIES)
def test_a_further_release_never_costs_less(event, other, adjacency):
    alone = quick_bound(event, 1e-5, adjacency).eps
    assert quick_bound(Composed((event, other)), 1e-5, adjacency).eps >= alone - 1e-4


@pytest.mark.parametrize("accountant", ["pld", "rdp", "analytic"])
def test_an_unknown_event_is_infinite_wherever_it_stands(accountant):
    hidden = Composed((Gaussian(100.0), Repeated(Composed((Unknown("a look"),)), 1)))
    assert eps_total(hidden, 1e-5, accountant).eps == math.inf
    assert quick_bound(hidden, 1e-5).eps == math.inf
    assert eps_total(Repeated(Unknown("a look"), 0), 1e-5, accountant).eps == 0


@pytest.mark.parametrize(
    "event",
    [Gaussian(0.0), Laplace(0.0), PoissonGaussian(0.5, 0.0, 1), PoissonGaussian(1.0, 0.0, 1), Gaussian(1e-9)],
)
def test_no_noise_is_infinite(event):
    for accountant in ("pld", "rdp"):
        assert eps_total(Composed((event, Gaussian(50.0))), 1e-5, accountant).eps == math.inf
    assert quick_bound(event, 1e-5).eps == math.inf


def test_what_a_closed_form_does_not_cover_is_infinite():
    assert eps_total(PoissonGaussian(0.5, 1.0, 1), 1e-5, "analytic").eps == math.inf
    assert eps_total(Composed((Gaussian(1.0), Laplace(1.0))), 1e-5, "analytic").eps == math.inf
    assert eps_total(Gaussian(1.0), 0.0).eps == math.inf
    assert eps_total(PoissonGaussian(0.5, 1.0, 1), 0.0).eps == math.inf


def test_data_that_were_never_touched_cost_nothing():
    for accountant in ("pld", "rdp", "analytic"):
        assert eps_total(Composed(), 1e-5, accountant).eps == 0


def test_more_steps_than_anyone_takes():
    assert quick_bound(PoissonGaussian(0.5, 10.0, MAX_RELEASES + 1), 1e-5).eps == math.inf
    assert eps_total(PoissonGaussian(0.5, 10.0, 10**400), 1e-5).eps == math.inf


@pytest.mark.parametrize(
    "make",
    [
        lambda: Gaussian(-1.0), lambda: Gaussian(math.nan), lambda: Laplace(-1.0), lambda: Laplace(math.nan),
        lambda: PoissonGaussian(0.0, 1.0, 1), lambda: PoissonGaussian(1.1, 1.0, 1), lambda: PoissonGaussian(0.1, 1.0, 0),
        lambda: PoissonGaussian(math.nan, 1.0, 1), lambda: PoissonGaussian(0.1, -1.0, 1),
        lambda: PoissonGaussian(0.1, 1.0, 1, 0), lambda: Repeated(Gaussian(1.0), -1),
        lambda: eps_total(Gaussian(1.0), -1e-5), lambda: eps_total(Gaussian(1.0), 1.0),
        lambda: eps_total(Gaussian(1.0), math.nan), lambda: eps_total(Gaussian(1.0), 1e-5, "gdp"),
        lambda: eps_total(Gaussian(1.0), 1e-5, "clt"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(make):
    with pytest.raises(ValueError, match=r"."):
        make()


RISING = {
    "rate": lambda factor: (PoissonGaussian(0.02 * factor, 3.0, 300), 1e-5),
    "steps": lambda factor: (PoissonGaussian(0.02, 3.0, round(300 * factor)), 1e-5),
    "noise": lambda factor: (PoissonGaussian(0.02, 3.0 / factor, 300), 1e-5),
    "delta": lambda factor: (PoissonGaussian(0.02, 3.0, 300), 1e-5 / factor),
    "records": lambda factor: (PoissonGaussian(0.02, 6.0, 300, round(factor * 2)), 1e-5),
}


@pytest.mark.parametrize("what", RISING)
@pytest.mark.parametrize("accountant", ["pld", "rdp"])
def test_eps_rises_with(what, accountant):
    spent = [eps_total(*RISING[what](factor), accountant).eps for factor in (0.5, 1.5)]
    assert spent[0] < spent[1]


@SAME
@given(st.floats(1e-5, 0.99), SCALES, st.integers(1, 10**6), st.floats(-9, -2), st.floats(1.0, 3.0), ADJACENCIES)
def test_the_bound_is_monotone(rate, sigma, steps, log_delta, factor, adjacency):
    def eps(rate, sigma, steps, delta):
        return quick_bound(PoissonGaussian(rate, sigma, steps), delta, adjacency).eps

    delta = 10**log_delta
    here = eps(rate, sigma, steps, delta)
    assert here <= eps(min(1.0, rate * factor), sigma, steps, delta) * (1 + 1e-6) + 1e-4 or rate * factor >= 1
    assert here >= eps(rate, sigma * factor, steps, delta) - 1e-4
    assert here <= eps(rate, sigma, math.ceil(steps * factor), delta) + 1e-4
    assert here >= eps(rate, sigma, steps, delta * factor) - 1e-4


@settings(max_examples=4, deadline=None)
@given(st.floats(0.005, 0.5), st.floats(2, 8), st.integers(1, 300), st.sampled_from(["add_remove", "replace_one"]))
def test_accountants_are_ordered_by_how_tight_they_are(rate, sigma, steps, adjacency):
    event = PoissonGaussian(rate, sigma, steps)
    tight = eps_total(event, 1e-5, "pld", adjacency).eps
    assert tight <= eps_total(event, 1e-5, "rdp", adjacency).eps + 1e-3
    assert tight <= quick_bound(event, 1e-5, adjacency).eps + 1e-4
    everyone = eps_total(Repeated(Gaussian(sigma), steps), 1e-5, "analytic", adjacency).eps
    assert tight <= everyone + 1e-3


def test_replacing_costs_more_than_removing_and_less_than_twice_removing():
    event, delta = PoissonGaussian(0.02, 1.5, 200), 1e-5
    removed, replaced = (eps_total(event, delta, "pld", way).eps for way in ("add_remove", "replace_one"))
    assert removed < replaced
    small = delta / (1 + math.exp(replaced / 2))
    assert replaced <= 2 * eps_total(event, small, "pld", "add_remove").eps


@given(st.floats(0, 1e6))
def test_rounding_never_goes_down_and_stands_still(value):
    up = round_up(value, 4)
    assert value <= up <= value + 1e-4 * (1 + 1e-9)
    assert round_up(up, 4) == up


def test_infinity_stays():
    assert round_up(math.inf, 4) == math.inf
