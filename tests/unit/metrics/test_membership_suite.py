"""The suite of attacks: what it must catch, what it must not see, and what its bounds promise."""

import math

import numpy as np
import pytest
from scipy import stats

from synthspec.accounting import Gaussian, PoissonGaussian, hit_bound, trade_off
from synthspec.metrics import Field, Request, Sample, measure
from synthspec.metrics.membership.advantage import suite
from synthspec.metrics.membership.attacks import SUITE
from synthspec.metrics.membership.copies import copies
from synthspec.metrics.membership.displacement import aligned, voted
from synthspec.metrics.membership.logan import log_odds
from synthspec.metrics.membership.people import People
from synthspec.metrics.membership.scoring import auc, auc_bounds, point, score


def clouds(seed, n, d):
    r = np.random.default_rng(seed)
    return [r.standard_normal((n, d)) for _ in range(3)], r


@pytest.mark.parametrize("d", [2, 6, 40])
def test_a_copy_of_the_training_set_that_was_moved_all_alike_is_caught(d):
    """The nearest training record is no nearer than anyone else's, and yet every record is there."""
    (members, others, reference), r = clouds(d, 300, d)
    moved = members + np.linspace(2.0, 4.0, d)
    found = {result.name: result for result in suite(members, others, moved, reference, r)}
    assert found["displaced_copy"].lower > 0.9
    assert found["displaced_copy"].at_1pct.tpr > 0.95
    told = copies(People(members, others, moved, reference))
    assert (told.moved_members, told.moved_non_members) == (1.0, 0.0)
    assert told.members < 0.05


def test_the_distance_alone_would_have_passed_it():
    (members, others, reference), r = clouds(2, 300, 2)
    found = {result.name: result for result in suite(members, others, members + np.array([2.0, 4.0]), reference, r)}
    assert abs(found["nearest_distance"].auc - 0.5) < 0.1


def test_a_part_of_the_copies_among_fresh_records_is_enough():
    (members, others, reference), r = clouds(7, 400, 6)
    mixed = np.concatenate([members[::4] + 0.7, r.standard_normal((600, 6))])
    np.testing.assert_allclose(voted(np.concatenate([members, others]), mixed), 0.7, atol=1e-9)
    found = {result.name: result for result in suite(members, others, mixed, reference, r)}
    assert found["displaced_copy"].lower > 0


def test_noise_on_moved_copies_does_not_hide_the_move():
    (members, others, reference), r = clouds(8, 400, 10)
    noisy = members + 3.0 + 0.05 * r.standard_normal(members.shape)
    np.testing.assert_allclose(aligned(np.concatenate([members, others]), noisy, reference), 3.0, atol=0.1)
    found = {result.name: result for result in suite(members, others, noisy, reference, r)}
    assert found["displaced_copy"].lower > 0.8


def test_fresh_records_show_no_attack_anything():
    seen = []
    for seed in range(12):
        (members, others, reference), r = clouds(100 + seed, 200, 4)
        results = suite(members, others, r.standard_normal((400, 4)), reference, r)
        seen += [result.lower > 0 or result.auc_lower > 0.5 for result in results]
        told = copies(People(members, others, r.standard_normal((400, 4)), reference))
        assert abs(told.moved_members - told.moved_non_members) < 0.05
    # 144 bounds at one in 120 each.
    assert sum(seen) <= 5


def test_the_classifier_sees_records_that_it_was_shown_and_no_others():
    (members, others, reference), r = clouds(3, 400, 6)
    assert auc(log_odds(members, members, reference), log_odds(others, members, reference)) > 0.57
    fresh = r.standard_normal((1200, 6))
    assert abs(auc(log_odds(members, fresh, reference), log_odds(others, fresh, reference)) - 0.5) < 0.07


def test_the_odds_are_those_of_two_normal_laws():
    """Of N(1, 1) against N(0, 1) the log odds are x - 1/2."""
    r = np.random.default_rng(5)
    at = np.linspace(-1, 2, 20)[:, None]
    odds = log_odds(at, r.normal(1, 1, (6000, 1)), r.normal(0, 1, (6000, 1)))
    np.testing.assert_allclose(odds, at[:, 0] - 0.5, atol=0.25)


def test_delong_bounds_cover_the_area_as_often_as_they_say():
    r, true, missed = np.random.default_rng(0), stats.norm.cdf(0.5 / math.sqrt(2)), [0, 0]
    for _ in range(400):
        low, high = auc_bounds(r.normal(0.5, 1, 80), r.normal(0, 1, 60), 0.05)
        missed[0] += low > true
        missed[1] += high < true
    assert all(5 <= count <= 36 for count in missed)


def test_an_area_of_one_is_no_certainty():
    low, high = auc_bounds(np.arange(10, 30.0), np.arange(0, 10.0), 0.05)
    assert high == 1.0
    assert low == pytest.approx(0.05**0.1)
    assert auc_bounds(np.ones(1), np.zeros(50), 0.05) == (0.0, 1.0)


def test_hits_at_a_thousandth_are_counted_where_a_thousand_others_set_the_threshold():
    r = np.random.default_rng(1)
    member = np.arange(4000) < 2000
    scores = np.where(member, r.normal(4, 1, 4000), r.normal(0, 1, 4000))
    enough = score("any", scores, member, np.arange(4000) % 2 == 0, 0.05)
    assert enough.at_01pct.tpr == pytest.approx(stats.norm.sf(stats.norm.isf(0.001) - 4), abs=0.15)
    assert enough.at_01pct.fpr_upper < 0.01
    assert enough.at_01pct.tpr_lower < enough.at_01pct.tpr < enough.at_01pct.tpr_upper
    few = score("any", scores, member, np.arange(4000) % 5 == 0, 0.05)
    assert few.at_01pct is None


def test_rates_carry_the_bounds_of_a_proportion():
    at = point(9, 10, 0, 20, 0.05)
    assert (at.tpr, at.fpr) == (0.9, 0.0)
    assert at.fpr_upper == pytest.approx(1 - 0.05 ** (1 / 20))
    assert at.tpr_lower == pytest.approx(stats.beta.ppf(0.05, 9, 2))


def test_the_figure_holds_every_attack_with_its_bounds_and_the_copies_beside():
    (members, others, reference), _ = clouds(11, 120, 3)
    fields = tuple(Field(name=name, low=-8.0, high=8.0) for name in "abc")
    request = Request(
        modality="tabular", fields=fields, seed=1, train=Sample(content=members), val=Sample(content=others),
        test=Sample(content=reference), synthetic=Sample(content=members + 1.5),
    )  # fmt: skip
    figure = measure(("MI",), request)[0]
    held = dict(figure.details)
    for name in SUITE:
        assert held[f"{name}.auc_lower"] <= held[f"{name}.auc"] <= held[f"{name}.auc_upper"]
        assert held[f"{name}.tpr_at_1pct_fpr_lower"] <= held[f"{name}.tpr_at_1pct_fpr"]
    assert held["moved_copies_of_members"] == 1.0
    assert held["copied_members"] < 0.1
    assert figure.lower > 0.8
    assert (held["n_members"], held["n_non_members"], held["n_reference"]) == (120, 120, 120)


@pytest.mark.parametrize(
    ("event", "eps", "advantage", "area", "strict", "stricter"),
    [
        (PoissonGaussian(0.01, 1.0, 1000), 1.8283, 0.1610, 0.6149, 0.0291, 0.0041),
        (PoissonGaussian(256 / 60000, 1.1, 14063), 2.3818, 0.2245, 0.6572, 0.0402, 0.0061),
        (Gaussian(1.0), 4.3781, 2 * stats.norm.cdf(0.5) - 1, stats.norm.cdf(1 / math.sqrt(2)), 0.0924, 0.0184),
    ],
)
def test_what_a_mechanism_allows_any_attack(event, eps, advantage, area, strict, stricter):
    pytest.importorskip("dp_accounting")
    allowed = trade_off(event, eps, 1e-5, "add_remove")
    assert allowed.advantage == pytest.approx(advantage, abs=2e-4)
    assert allowed.auc == pytest.approx(area, abs=4e-4)
    assert allowed.hits(0.01) == pytest.approx(strict, abs=2e-4)
    assert allowed.hits(0.001) == pytest.approx(stricter, abs=1e-4)


def test_one_pair_bounds_hits_on_both_sides():
    assert hit_bound(1.0, 1e-5, 0.01) == pytest.approx(math.e * 0.01 + 1e-5)
    assert hit_bound(1.0, 0.0, 0.9) == pytest.approx(1 - 0.1 / math.e)
    assert hit_bound(0.0, 0.0, 0.3) == pytest.approx(0.3)
    assert hit_bound(900.0, 0.0, 1e-9) == 1.0
