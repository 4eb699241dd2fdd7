"""What noisy votes cost: closed forms, an independent library, and the exact odds of the winner that is released."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from synthspec.accounting import Composed, eps_total, gaussian_eps, gaussian_sigma, quick_bound, solve, votes

ADJACENCIES = ("zero_out", "add_remove", "replace_one")
SCALES = st.floats(1.0, 500.0)
QUERIES = st.integers(1, 5000)


@given(sigma=SCALES, queries=QUERIES, adjacency=st.sampled_from(ADJACENCIES))
def test_gaussian_votes_are_one_gaussian_release_of_sqrt_two(sigma, queries, adjacency):
    """However a record changes, two counts of each query move by 1: sqrt(2 Q) sigma^-1 in all."""
    spent = eps_total(votes("gnmax", sigma, queries, adjacency), 1e-5, "analytic", adjacency)
    assert spent.eps == pytest.approx(gaussian_eps(sigma / math.sqrt(2 * queries), 1e-5), rel=1e-9, abs=2e-9)


@pytest.mark.parametrize("adjacency", ADJACENCIES)
@pytest.mark.parametrize(
    ("ratio", "eps"), [(1.0, 4.377178095681225), (4.0, 0.9263415039982294), (0.5, 9.9972561464343)]
)
def test_published_gaussian_figures_come_out_of_votes(adjacency, ratio, eps):
    """The analytic Gaussian (Balle and Wang 2018) at sigma / Delta = `ratio` and delta 1e-5."""
    event = votes("gnmax", ratio * math.sqrt(2 * 64), 64, adjacency)
    assert eps_total(event, 1e-5, "analytic", adjacency).eps == pytest.approx(eps, abs=1e-8)


@given(scale=SCALES, queries=QUERIES, adjacency=st.sampled_from(ADJACENCIES))
def test_laplace_votes_add_up_to_two_over_their_scale(scale, queries, adjacency):
    spent = eps_total(votes("laplace", scale, queries, adjacency), 0.0, "analytic", adjacency)
    assert spent.eps == pytest.approx(2 * queries / scale, rel=1e-9, abs=2e-9)


def test_more_noise_costs_less_whatever_the_law():
    """A scale that is taken for its inverse would cost more as the noise grows."""
    for law in ("gnmax", "laplace"):
        spent = [quick_bound(votes(law, scale, 100, "zero_out"), 1e-5).eps for scale in (5.0, 20.0, 80.0)]
        assert spent[0] > 2 * spent[1] > 4 * spent[2] > 0


def test_no_query_costs_nothing_and_a_negative_scale_is_none():
    assert votes("gnmax", 3.0, 0, "zero_out") == Composed()
    assert eps_total(votes("laplace", 3.0, 0, "zero_out"), 0.0, "analytic").eps == 0
    with pytest.raises(ValueError, match="sigma"):
        votes("gnmax", -1.0, 3, "zero_out")


@pytest.mark.parametrize(("scale", "queries"), [(40.0, 100), (200.0, 400), (3.0, 1)])
@pytest.mark.parametrize("adjacency", ["add_remove", "replace_one"])
def test_the_library_composes_them_to_the_same_figure(scale, queries, adjacency):
    pld = pytest.importorskip("dp_accounting.pld.privacy_loss_distribution")
    rdp, event = pytest.importorskip("dp_accounting.rdp"), pytest.importorskip("dp_accounting").dp_event
    laplace = pld.from_laplace_mechanism(scale / 2).self_compose(queries).get_epsilon_for_delta(1e-5)
    ours = eps_total(votes("laplace", scale, queries, adjacency), 1e-5, "pld", adjacency).eps
    assert ours == pytest.approx(laplace, abs=2e-3)
    gauss = pld.from_gaussian_mechanism(scale / math.sqrt(2)).self_compose(queries).get_epsilon_for_delta(1e-5)
    assert eps_total(votes("gnmax", scale, queries, adjacency), 1e-5, "pld", adjacency).eps <= gauss + 1e-3
    accountant = rdp.RdpAccountant()
    accountant.compose(event.GaussianDpEvent(scale / math.sqrt(2)), queries)
    spent = eps_total(votes("gnmax", scale, queries, adjacency), 1e-5, "rdp", adjacency).eps
    assert spent == pytest.approx(accountant.get_epsilon(1e-5), rel=0.02)


def won(law, lead, scale):
    """The exact probability that the class wins that is `lead` votes ahead."""
    if law == "gnmax":
        return stats.norm.cdf(lead / (math.sqrt(2) * scale))
    rest = math.exp(-abs(lead) / scale) * (2 + abs(lead) / scale) / 4
    return 1 - rest if lead >= 0 else rest


@pytest.mark.parametrize("lead", [-3.0, 0.5, 2.0])
def test_the_odds_of_laplace_votes_are_those_of_a_difference(lead):
    laplace = stats.laplace
    wins, _ = quad(lambda x: laplace.pdf(x) * laplace.cdf(lead + x), -40, 40, points=[0, -lead])
    assert won("laplace", lead, 1.0) == pytest.approx(wins, abs=1e-6)


@pytest.mark.parametrize("law", ["gnmax", "laplace"])
@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_no_lead_lets_one_vote_tell_more_than_is_accounted_for(law, scale):
    """One teacher that changes its mind changes a lead by 2: the released winner is within (eps, delta), at every delta."""
    for lead, delta in itertools.product(range(-60, 60), (1e-2, 1e-5)):
        eps = eps_total(votes(law, scale, 1, "replace_one"), delta, "analytic", "replace_one").eps
        one, other = won(law, lead, scale), won(law, lead + 2, scale)
        for p, q in ((one, other), (other, one), (1 - one, 1 - other), (1 - other, 1 - one)):
            assert p <= math.exp(eps) * q + delta + 1e-12


def test_pure_laplace_is_tight_in_the_tail():
    far = won("laplace", -400, 5.0), won("laplace", -402, 5.0)
    assert 0.98 * 2 / 5 < math.log(far[0] / far[1]) <= 2 / 5


@pytest.mark.parametrize(("budget", "queries"), [(4.0, 200), (1.0, 50), (0.5, 1000)])
def test_noise_from_a_budget_is_the_closed_form_of_it(budget, queries):
    pytest.importorskip("dp_accounting")
    found = solve(lambda scale: votes("gnmax", scale, queries, "zero_out"), 1e-5, budget, "zero_out")
    exact = gaussian_sigma(budget, 1e-5) * math.sqrt(2 * queries)
    assert exact <= found <= exact * (1 + 2e-3)
    assert eps_total(votes("gnmax", found, queries, "zero_out"), 1e-5).eps <= budget
