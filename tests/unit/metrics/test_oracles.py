"""The in-house estimators against other people's code."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, stats

from synthspec.metrics import covg, density, precision, recall
from synthspec.metrics.fid import frechet
from synthspec.metrics.intervals import clopper_pearson, quantile_ranks, wilson
from synthspec.metrics.kernels import cubic, mmd2
from synthspec.metrics.membership.scoring import auc, threshold
from synthspec.metrics.stream import blocks, halves, stream
from synthspec.metrics.w1 import wasserstein


@pytest.mark.parametrize(("n", "m", "k"), [(120, 90, 3), (60, 200, 5)])
def test_prdc_agrees(n, m, k, capsys):
    from prdc import compute_prdc

    r = stream(3, f"prdc/{k}")
    real, fake = r.standard_normal((n, 6)), r.standard_normal((m, 6)) * 1.1 + 0.2
    oracle = compute_prdc(real, fake, k)
    capsys.readouterr()
    assert precision.inside(real, fake, k).mean() == pytest.approx(oracle["precision"], abs=1e-12)
    assert recall.inside(real, fake, k).mean() == pytest.approx(oracle["recall"], abs=1e-12)
    assert density.depths(real, fake, k).mean() == pytest.approx(oracle["density"], abs=1e-12)
    assert covg.inside(real, fake, k).mean() == pytest.approx(oracle["coverage"], abs=1e-12)


def test_identical_sets_are_wholly_inside_each_other_even_with_duplicates():
    x = np.repeat(stream(3, "twice").standard_normal((40, 3)), 6, axis=0)
    for inside in (precision.inside, recall.inside, covg.inside):
        assert inside(x, x.copy()).mean() == 1.0


def test_frechet_agrees_with_the_matrix_square_root():
    r = stream(3, "sqrtm")
    x, y = r.standard_normal((80, 5)) @ r.standard_normal((5, 5)), r.standard_normal((70, 5)) + 0.3
    a, b = np.cov(x.T), np.cov(y.T)
    gap = x.mean(0) - y.mean(0)
    expected = gap @ gap + np.trace(a + b - 2 * linalg.sqrtm(a @ b).real)
    assert frechet(x, y) == pytest.approx(expected, rel=1e-9)


def test_frechet_of_degenerate_features_is_finite():
    x = np.zeros((50, 3))
    x[:, 0] = stream(3, "flat").standard_normal(50)
    assert frechet(x, x) == pytest.approx(0.0, abs=1e-6)


def test_kid_agrees_with_the_double_sum():
    r = stream(3, "kid")
    x, y = r.standard_normal((7, 3)), r.standard_normal((5, 3))

    def mean(a, b, *, same):
        pairs = [(u, v) for i, u in enumerate(a) for j, v in enumerate(b) if not (same and i == j)]
        return sum((u @ v / 3 + 1) ** 3 for u, v in pairs) / len(pairs)

    expected = mean(x, x, same=True) + mean(y, y, same=True) - 2 * mean(x, y, same=False)
    assert mmd2(cubic, x, y) == pytest.approx(expected, rel=1e-12)


def test_kid_of_more_rows_than_a_block():
    r = stream(3, "kid/blocks")
    x, y = r.standard_normal((2500, 2)), r.standard_normal((40, 2))
    k = (x @ x.T / 2 + 1) ** 3
    expected = (k.sum() - np.trace(k)) / (2500 * 2499)
    ky = (y @ y.T / 2 + 1) ** 3
    expected += (ky.sum() - np.trace(ky)) / (40 * 39) - 2 * ((x @ y.T / 2 + 1) ** 3).mean()
    assert mmd2(cubic, x, y) == pytest.approx(expected, rel=1e-10)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-50, 50), min_size=1, max_size=20),
    st.lists(st.floats(-50, 50), min_size=1, max_size=20),
)
def test_w1_agrees_with_scipy(a, b):
    x, y = np.array(a)[:, None], np.array(b)[:, None]
    assert wasserstein(x, y)[0] == pytest.approx(stats.wasserstein_distance(a, b), abs=1e-9)


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (267, 270)])
def test_binomial_bounds_agree_with_scipy(k, n):
    test = stats.binomtest(k, n)
    exact, score = test.proportion_ci(0.90, "exact"), test.proportion_ci(0.90, "wilson")
    assert clopper_pearson(k, n) == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert wilson(k, n) == pytest.approx((score.low, score.high), abs=1e-9)


def test_p99_needs_299():
    assert quantile_ranks(298, 0.99)[1] is None
    assert quantile_ranks(299, 0.99)[1] == 299
    low, high = quantile_ranks(2000, 0.99)
    assert low < 1980 < high
    assert stats.binom.cdf(high - 1, 2000, 0.99) >= 0.95 > stats.binom.cdf(high - 2, 2000, 0.99)
    assert stats.binom.sf(low - 1, 2000, 0.99) >= 0.95 > stats.binom.sf(low, 2000, 0.99)


def test_auc_agrees_with_scikit_learn():
    from sklearn.metrics import roc_auc_score

    r = stream(3, "auc")
    members, others = r.integers(0, 6, 50) + 1.0, r.integers(0, 6, 30) + 0.0
    truth = [1] * 50 + [0] * 30
    assert auc(members, others) == pytest.approx(roc_auc_score(truth, np.concatenate([members, others])))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=15), st.lists(st.integers(0, 9), min_size=2, max_size=15))
def test_no_threshold_beats_the_chosen_one(members, others):
    m, o = np.array(members, dtype=float), np.array(others, dtype=float)

    def gain(t):
        return (m >= t).mean() - (o >= t).mean()

    assert gain(threshold(m, o)) == pytest.approx(max(gain(t) for t in range(10)) if gain(9) <= 1 else 1.0)


def test_blocks_and_halves_are_disjoint():
    parts = blocks(103, 8, stream(3, "blocks"))
    assert sorted(np.concatenate(parts)) == list(range(103))
    for a, b in halves(41, 5, stream(3, "halves")):
        assert len(a) == len(b) == 20
        assert not set(a) & set(b)


def test_streams_are_apart_and_repeatable():
    assert stream(1, "a").random() == stream(1, "a").random()
    assert len({stream(1, "a").random(), stream(2, "a").random(), stream(1, "b").random()}) == 3
