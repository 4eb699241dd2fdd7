"""LiRA on scores whose law is known: what it reaches, what it must not find, and what its limits allow for."""

import numpy as np
import pytest
from scipy.stats import norm

from synthspec.accounting.one_run import lower_bound
from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.membership import lira
from synthspec.metrics.membership.lira import Shadows, guessed, ratios, sampled_scores, told

LEVEL = 0.05 / 3


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(lira, "RESAMPLES", 200)


def coins(r, engines, records):
    first = r.random((engines // 2, records)) < 0.5
    return np.stack([first, ~first], axis=1).reshape(engines, records)


def mean_estimation(r, engines, records, size):
    """Each engine publishes the noisy sum of orthogonal records of length `size`, and says of a record its part in it."""
    present = coins(r, engines, records)
    return Shadows(size * present + r.standard_normal(present.shape), present)


def attacked(shadows, r):
    return told(ratios(shadows), shadows.present, r, LEVEL)


def test_of_noisy_sums_it_reaches_what_the_best_attack_reaches():
    r = np.random.default_rng(0)
    found = attacked(mean_estimation(r, 128, 400, 1.5), r)
    ideal = {
        "auc": norm.cdf(1.5 / np.sqrt(2)),
        "advantage": 2 * norm.cdf(0.75) - 1,
        "tpr_at_1pct": norm.cdf(1.5 - norm.isf(0.01)),
        "tpr_at_01pct": norm.cdf(1.5 - norm.isf(0.001)),
    }
    for name, best in ideal.items():
        rate = getattr(found, name)
        assert rate.value == pytest.approx(best, abs=0.02), name
        assert rate.lower < rate.value < rate.upper
        assert rate.floor <= rate.value
        assert rate.n == 128 * 400


def test_sixteen_engines_lose_little_of_it():
    r = np.random.default_rng(1)
    found = attacked(mean_estimation(r, 16, 400, 1.5), r)
    assert norm.cdf(1.5 / np.sqrt(2)) - 0.06 < found.auc.value < norm.cdf(1.5 / np.sqrt(2))
    assert 0.3 < found.advantage.lower < found.advantage.value < 2 * norm.cdf(0.75) - 1


@pytest.mark.parametrize("engines", [8, 16])
def test_scores_that_know_nothing_of_membership_have_an_auc_of_one_half_and_limits_around_it(engines):
    """Records differ, engines differ, and neither has to do with who was learned: no leak by counts of the others."""
    values, covered = [], []
    for seed in range(60):
        r = np.random.default_rng(seed)
        present = coins(r, engines, 32)
        scores = 3 * r.standard_normal((1, 32)) + r.standard_normal((engines, 1)) + r.standard_normal(present.shape)
        found = attacked(Shadows(scores, present), r)
        values.append(found.auc.value)
        covered.append(
            found.auc.lower <= 0.5 <= found.auc.upper and found.advantage.lower <= 0 <= found.advantage.upper
        )
    assert abs(np.mean(values) - 0.5) < 3 * np.std(values) / np.sqrt(60)
    assert np.mean(covered) >= 0.9


def test_the_pair_that_is_judged_has_no_part_in_what_it_is_judged_by():
    r = np.random.default_rng(2)
    given = mean_estimation(r, 16, 40, 2.0)
    turned, moved = given.present.copy(), given.scores.copy()
    turned[4:6] = ~turned[4:6]
    moved[5] += 100 * r.standard_normal(40)
    assert np.array_equal(ratios(Shadows(given.scores, turned))[4:6], ratios(given)[4:6])
    assert np.array_equal(ratios(Shadows(moved, given.present))[4], ratios(given)[4])


def test_records_are_compared_with_themselves():
    """A record that every engine likes is no member for that; one threshold for all scores sees next to nothing."""
    r = np.random.default_rng(3)
    present = coins(r, 16, 100)
    scales = np.exp(2 * r.standard_normal((1, 100)))
    shadows = Shadows(
        scales * (50 * r.standard_normal((1, 100)) + 2 * present + r.standard_normal(present.shape)), present
    )
    blunt = told(shadows.scores - np.median(shadows.scores), present, r, LEVEL)
    assert attacked(shadows, r).auc.value > 0.85
    assert blunt.auc.value < 0.55


def test_a_few_wild_engines_do_not_hide_a_record():
    r = np.random.default_rng(4)
    present = coins(r, 16, 200)
    scores = 2 * present + r.standard_normal(present.shape)
    wild = scores - 1e4 * (r.random(present.shape) < 0.05)
    assert attacked(Shadows(wild, present), r).auc.value > attacked(Shadows(scores, present), r).auc.value - 0.08


def test_decisions_on_one_record_are_not_many():
    """Half of the records are told always, the others never: the limits are those of the records, not of the decisions."""
    r = np.random.default_rng(5)
    present = coins(r, 32, 40)
    known = np.arange(40) % 2 == 0
    ratio = np.where(known, np.where(present, 1.0, -1.0), r.standard_normal(present.shape) * 1e-3)
    found = told(ratio, present, r, LEVEL)
    assert found.tpr_at_1pct.upper - found.tpr_at_1pct.lower > 2 * 1.96 * np.sqrt(0.25 / 40) * 0.8
    assert found.tpr_at_1pct.lower < 0.5 < found.tpr_at_1pct.upper


def test_what_never_fails_has_limits_all_the_same():
    r = np.random.default_rng(6)
    present = coins(r, 16, 40)
    found = told(np.where(present, 1.0, -1.0), present, r, LEVEL)
    assert found.auc.value == found.advantage.value == found.tpr_at_1pct.value == 1.0
    assert found.auc.lower == pytest.approx(0.025 ** (1 / 40))
    assert found.advantage.lower == pytest.approx(2 * 0.025 ** (1 / 40) - 1)
    assert found.tpr_at_01pct is None  # 320 decisions on records that were not learned


def test_engines_that_say_the_same_of_all_tell_nobody():
    present = coins(np.random.default_rng(7), 16, 40)
    found = attacked(Shadows(np.ones(present.shape), present), np.random.default_rng(0))
    assert (found.auc.value, found.advantage.value) == (0.5, 0.0)
    assert found.tpr_at_1pct.upper > 0.0


def claimed(shadows, delta=0.0):
    found = guessed(shadows)
    return lower_bound(found.correct, found.guesses, found.coins, delta)


def randomised_response(r, eps, engines=16, records=80):
    """Each coin is told, and turned over with the probability that eps allows."""
    present = coins(r, engines, records)
    honest = r.random(present.shape) < 1 / (1 + np.exp(-eps))
    return Shadows(np.where(present == honest, 1.0, -1.0) + 1e-3 * r.standard_normal(present.shape), present)


def test_guesses_about_a_tight_mechanism_stay_below_its_eps_and_find_one_that_spends_more():
    lower = np.array([claimed(randomised_response(np.random.default_rng(seed), 1.0)) for seed in range(60)])
    assert (lower > 1.0).mean() <= 0.1
    assert np.median(lower) > 0.3
    assert claimed(randomised_response(np.random.default_rng(0), 4.0)) > 1.0


def test_guesses_about_nothing_prove_nothing():
    found = [claimed(mean_estimation(np.random.default_rng(seed), 16, 80, 0.0)) for seed in range(60)]
    assert np.mean(np.array(found) > 0) <= 0.1


def test_guesses_of_an_engine_know_nothing_of_later_ones():
    r = np.random.default_rng(8)
    given = mean_estimation(r, 16, 40, 3.0)
    short = guessed(Shadows(given.scores[:8], given.present[:8]))
    assert (short.coins, short.guesses) == (40, 10)
    later = given.scores.copy()
    later[7] = -later[7]
    assert guessed(Shadows(later[:8], given.present[:8])) == short  # the second of its pair has no part in it


@pytest.mark.parametrize("engines", [2, 6, 9])
def test_too_few_engines_or_an_odd_one_are_refused(engines):
    present = coins(np.random.default_rng(0), engines + engines % 2, 20)[:engines]
    with pytest.raises(ValueError, match="no pairs"):
        Shadows(np.zeros(present.shape), present)


def test_engines_that_share_records_are_no_pairs():
    present = np.random.default_rng(0).random((8, 20)) < 0.5
    with pytest.raises(ValueError, match="no pairs"):
        Shadows(np.zeros(present.shape), present)


def test_a_score_that_is_no_number_is_told():
    given = mean_estimation(np.random.default_rng(0), 8, 20, 1.0)
    given.scores[3, 4] = np.nan
    with pytest.raises(UnmeasurableError, match="1 of 160 scores"):
        ratios(given)


def test_without_a_score_the_nearest_record_that_is_made_speaks():
    records = np.array([[0.0, 0.0], [4.0, 0.0]])
    found = sampled_scores(records, np.array([[0.0, 1.0], [0.5, 0.0]]))
    assert np.allclose(found, -np.log([0.5, 3.5]))
