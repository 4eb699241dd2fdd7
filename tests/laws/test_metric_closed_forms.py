"""Metrics against laws whose value is known: closed forms and nulls, within four standard errors."""

import math

import numpy as np
import pytest
from scipy import stats

from synthspec.metrics import covg, density, precision, recall
from synthspec.metrics.fid import fd_inf, frechet, mean_frechet
from synthspec.metrics.intervals import clopper_pearson, difference
from synthspec.metrics.kernels import block_error, cubic, gaussian, mmd2
from synthspec.metrics.membership.advantage import suite
from synthspec.metrics.membership.attacks import Scene, calibrated_distance, domias
from synthspec.metrics.membership.scoring import auc, score, threshold
from synthspec.metrics.mode_drop import dropped
from synthspec.metrics.stream import stream
from synthspec.metrics.w1 import wasserstein


def rng(name):
    return stream(20261122, name)


def exact(mean, cov, n=50, name="exact"):
    """A sample whose mean and unbiased covariance are exactly those given."""
    z = rng(name).standard_normal((n, len(mean)))
    z -= z.mean(axis=0)
    z = z @ np.linalg.inv(np.linalg.cholesky(np.atleast_2d(np.cov(z.T)))).T
    return z @ np.linalg.cholesky(np.atleast_2d(cov)).T + mean


def within(values, truth, sigmas=4.0):
    se = np.std(values, ddof=1) / math.sqrt(len(values))
    assert abs(np.mean(values) - truth) < sigmas * se, (np.mean(values), truth, se)
    assert se < 0.2 * max(abs(truth), 0.05), "the check has no power"


def test_fd_of_two_normals_is_10():
    x, y = exact([0.0], [[1.0]]), exact([3.0], [[4.0]], name="other")
    assert frechet(x, y) == pytest.approx(10.0, abs=1e-9)


def test_fd_of_commuting_covariances_is_4():
    x, y = exact(np.zeros(4), np.diag([1.0, 4, 9, 16])), exact(np.zeros(4), np.diag([4.0, 1, 16, 9]), name="other")
    assert frechet(x, y) == pytest.approx(4.0, abs=1e-9)


def test_fd_null_is_what_theory_says():
    d, n, r = 16, 500, rng("fd/null")
    values = [frechet(r.standard_normal((n, d)), r.standard_normal((n, d))) for _ in range(40)]
    assert np.mean(values) == pytest.approx(2 * d / n + d * (d + 1) / (2 * n), rel=0.05)


def test_fd_inf_removes_the_bias():
    d, n, r = 32, 1000, rng("fd/inf")
    x, y = r.standard_normal((n, 1, d)), r.standard_normal((n, 1, d)) + 0.1
    truth = d * 0.01
    assert mean_frechet(x, y) > 2.5 * truth
    assert fd_inf(x, y, rng("fd/thin")) == pytest.approx(truth, abs=0.1)


def test_kid_of_shifted_normals_is_22():
    r = rng("kid")
    within([mmd2(cubic, r.standard_normal((300, 1)), r.standard_normal((300, 1)) + 1) for _ in range(50)], 22.0)


def test_kid_null_is_zero_and_often_negative():
    r = rng("kid/null")
    values = np.array([mmd2(cubic, r.standard_normal((200, 8)), r.standard_normal((200, 8))) for _ in range(100)])
    assert abs(values.mean()) < 4 * values.std() / 10
    assert 0.3 < (values < 0).mean() < 0.8


def test_mmd_of_shifted_normals():
    r = rng("mmd")
    kernel = gaussian(1.0)
    truth = 2 / math.sqrt(3) * (1 - math.exp(-1 / 6))
    assert truth == pytest.approx(0.17727, abs=1e-5)
    within([mmd2(kernel, r.standard_normal((300, 1)), r.standard_normal((300, 1)) + 1) for _ in range(40)], truth)


@pytest.mark.parametrize(("shift", "most"), [(0.0, 4.0), (0.5, 1.6)])
def test_the_block_error_is_a_standard_error(shift, most):
    r = rng(f"blocks/{shift}")
    values, errors = [], []
    for _ in range(60):
        x, y = r.standard_normal((160, 4)), r.standard_normal((160, 4)) + shift
        values.append(mmd2(cubic, x, y))
        errors.append(block_error(cubic, x, y, 8, r))
    spread = np.std(values, ddof=1)
    assert 0.85 * spread < math.sqrt(np.mean(np.square(errors))) < most * spread


@pytest.mark.parametrize(("k", "n", "m", "expected"), [(5, 500, 500, 0.9692), (3, 500, 500, 0.8758)])
def test_coverage_null_is_its_ceiling(k, n, m, expected):
    assert covg.ceiling(n, m, k) == pytest.approx(expected, abs=1e-4)
    r = rng(f"covg/{k}")
    values = [covg.inside(r.standard_normal((n, 8)), r.standard_normal((m, 8)), k).mean() for _ in range(12)]
    within(values, covg.ceiling(n, m, k))


def test_coverage_ceiling_with_unequal_sizes():
    r = rng("covg/unequal")
    values = [covg.inside(r.standard_normal((100, 4)), r.standard_normal((40, 4))).mean() for _ in range(60)]
    within(values, covg.ceiling(100, 40))


def test_density_of_equal_laws_is_one():
    r = rng("density")
    within([density.depths(r.standard_normal((300, 6)), r.standard_normal((300, 6))).mean() for _ in range(20)], 1.0)


def two_modes(name):
    r = rng(name)
    real = r.standard_normal((1000, 2)) + 50.0 * (np.arange(1000) % 2)[:, None]
    return real, r.standard_normal((1000, 2))


def test_dropping_one_of_two_modes_halves_recall_and_not_precision():
    real, synthetic = two_modes("modes")
    assert precision.inside(real, synthetic).mean() > 0.97
    assert recall.inside(real, synthetic).mean() == pytest.approx(0.5, abs=0.03)
    assert covg.inside(real, synthetic).mean() == pytest.approx(0.5, abs=0.03)


def test_one_outlier_fools_precision_and_not_density_or_coverage():
    r = rng("outlier")
    real = r.standard_normal((500, 8))
    real[0] = 100.0
    garbage = r.standard_normal((500, 8)) + 60.0
    assert precision.inside(real, garbage).mean() == 1.0
    assert density.depths(real, garbage).mean() == pytest.approx(0.2, abs=0.01)
    assert covg.inside(real, garbage).mean() <= 0.002


def test_w1_of_a_shift_is_the_shift():
    x = rng("w1/shift").standard_normal((300, 3))
    assert wasserstein(x, x + np.array([0.0, 0.25, -2.0])) == pytest.approx([0.0, 0.25, 2.0], abs=1e-12)


def test_w1_of_a_scale():
    r = rng("w1/scale")
    values = [wasserstein(r.standard_normal((2000, 1)), 2 * r.standard_normal((2000, 1)))[0] for _ in range(30)]
    within(values, math.sqrt(2 / math.pi))


def test_w1_null_of_the_uniform():
    r, n = rng("w1/null"), 2000
    values = [wasserstein(r.random((n, 1)), r.random((n, 1)))[0] for _ in range(60)]
    assert math.sqrt(math.pi) / (4 * math.sqrt(n)) == pytest.approx(0.00991, abs=1e-5)
    within(values, math.sqrt(math.pi) / (4 * math.sqrt(n)))


def test_mode_drop_of_25_modes():
    shares = np.full(25, 1 / 25)
    full = rng("modes/25").multinomial(10_000, shares)
    assert dropped(full, 10_000, shares) == (0.0, 0.0)
    few = np.concatenate([rng("modes/20").multinomial(10_000, np.full(20, 1 / 20)), np.zeros(5, dtype=int)])
    assert dropped(few, 10_000, shares) == pytest.approx((0.2, 0.2))


def test_a_mode_is_present_only_beyond_stray_misreadings():
    shares = np.full(10, 0.1)
    counts = np.full(10, 56)
    for stray, drop in [(2, 0.1), (10, 0.1), (20, 0.0)]:  # 10 of 512 pass a bound at 95 %, not one for ten modes
        counts[3] = stray
        assert dropped(counts, 512, shares)[0] == pytest.approx(drop), stray


def test_auc_and_advantage_of_shifted_normals():
    r = rng("auc")
    members, others = r.standard_normal(4000) + 1, r.standard_normal(4000)
    assert auc(members, others) == pytest.approx(stats.norm.cdf(1 / math.sqrt(2)), abs=0.02)
    at = threshold(members, others)
    assert (members >= at).mean() - (others >= at).mean() == pytest.approx(2 * stats.norm.cdf(0.5) - 1, abs=0.04)


def test_clopper_pearson_covers_at_least_its_level():
    p, n = 0.93, 60
    law = stats.binom.pmf(np.arange(n + 1), n, p)
    bounds = [clopper_pearson(k, n) for k in range(n + 1)]
    assert sum(law[k] for k in range(n + 1) if bounds[k][0] <= p) >= 0.95
    assert sum(law[k] for k in range(n + 1) if bounds[k][1] >= p) >= 0.95


@pytest.mark.parametrize(("p1", "p2"), [(0.5, 0.5), (0.05, 0.01), (0.9, 0.3)])
def test_the_bound_of_a_difference_covers_at_its_level(p1, p2):
    n, m, alpha = 100, 60, 0.05
    r = rng(f"difference/{p1}")
    draws = zip(r.binomial(n, p1, 600), r.binomial(m, p2, 600), strict=True)
    bounds = [difference((int(a), n), (int(b), m), alpha) for a, b in draws]
    slack = 4 * math.sqrt(alpha * (1 - alpha) / 600)
    assert np.mean([high >= p1 - p2 for _, high in bounds]) >= 1 - alpha - slack
    assert np.mean([low <= p1 - p2 for low, _ in bounds]) >= 1 - alpha - slack


def test_the_threshold_is_set_on_the_other_half():
    """Scores that tell members apart in the choosing half alone are worth nothing."""
    n, r = 100, rng("mi/threshold")
    is_member, choosing = np.arange(4 * n) < 2 * n, np.arange(4 * n) % 2 == 0
    scores = np.where(choosing, is_member.astype(float), 0.5) + 0.01 * r.random(4 * n)
    result = score("any", scores, is_member, choosing, 0.05)
    assert result.advantage == 0.0
    assert result.lower < 0 < result.upper


def attacked(name, synthetic_of):
    r = rng(name)
    members, others, reference = (r.standard_normal((270, 6)) for _ in range(3))
    return suite(members, others, synthetic_of(members, r), reference, r)


def test_a_copy_of_the_training_set_breaks_membership():
    results = attacked("mi/copy", lambda members, r: members.copy())
    assert max(a.advantage for a in results) > 0.98
    assert max(a.upper for a in results) == pytest.approx(1.0)
    assert all(a.auc > 0.6 for a in results), results


def test_fresh_samples_prove_a_small_advantage_with_270_records():
    uppers = [max(a.upper for a in attacked(f"mi/{i}", lambda m, r: r.standard_normal((512, 6)))) for i in range(25)]
    assert np.mean([upper <= 0.30 for upper in uppers]) >= 0.9
    assert min(uppers) > 0.05, "an upper bound this small cannot be honest at 135 records"


def test_the_upper_bound_covers_the_advantage_of_a_leaky_generator():
    def leak(members, r):
        return members[::3] + 0.02 * r.standard_normal((90, 6))

    results = attacked("mi/leak", leak)
    assert max(a.lower for a in results) > 0.1
    assert max(a.upper for a in results) > 1 / 3


@pytest.mark.parametrize("attack", [calibrated_distance, domias])
def test_a_calibrated_attack_sees_nothing_where_the_synthetic_records_are_the_reference(attack):
    r = rng("mi/calibrated")
    same = r.standard_normal((200, 5))
    scores = attack(Scene(candidates=r.standard_normal((50, 5)), synthetic=same, reference=same))
    np.testing.assert_allclose(scores, 0.0, atol=1e-9)
