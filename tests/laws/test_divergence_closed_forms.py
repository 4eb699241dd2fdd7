"""The divergences, the classifiers and the distances of series against laws whose value is known."""

import functools
import math

import numpy as np
import pytest
from scipy import stats

from synthspec.metrics import acf, memorisation, psd
from synthspec.metrics.detection_auc import delong, folds, out_of_fold
from synthspec.metrics.fid import frechet
from synthspec.metrics.figures import Z95
from synthspec.metrics.learners import logistic
from synthspec.metrics.mode_drop import reverse_kl
from synthspec.metrics.neighbours import closest, overlap
from synthspec.metrics.psi import Bins, null_quantile, psi
from synthspec.metrics.request import Field
from synthspec.metrics.sliced_w2 import directions, w2_squared
from synthspec.metrics.stream import stream
from synthspec.metrics.w1 import wasserstein


def rng(name):
    return stream(20261123, name)


def within(values, truth, sigmas=4.0):
    se = np.std(values, ddof=1) / math.sqrt(len(values))
    assert abs(np.mean(values) - truth) < sigmas * se, (np.mean(values), truth, se)
    assert se < 0.2 * max(abs(truth), 0.05), "the check has no power"


def test_sliced_w2_of_a_shift_is_its_square_over_the_dimensions():
    r = rng("sw2/shift")
    x = r.standard_normal((50, 6))
    shift = np.array([3.0, 0, 0, 0, 4.0, 0])
    axes = directions(6, 20_000, r)
    each = w2_squared(x @ axes, (x + shift) @ axes)
    within(each, 25.0 / 6)


def test_w2_of_a_scale():
    r = rng("w2/scale")
    values = [w2_squared(r.standard_normal((4000, 1)), 2 * r.standard_normal((4000, 1)))[0] for _ in range(25)]
    within(values, 1.0)


def test_w2_null_of_the_uniform():
    """E W2^2 of two samples of n from U(0, 1) is 1 / (3 (n + 1)): twice the mean variance of an order statistic."""
    r, n = rng("w2/null"), 200
    values = [w2_squared(r.random((n, 1)), r.random((n, 1)))[0] for _ in range(400)]
    within(values, 1 / (3 * (n + 1)))


def test_directions_are_uniform_on_the_sphere():
    axes = directions(5, 4000, rng("directions"))
    np.testing.assert_allclose(np.linalg.norm(axes, axis=0), 1.0)
    for row in axes:
        within(row**2, 1 / 5)


def test_psi_of_two_bins():
    n = 10**9
    expected = 0.25 * math.log(2) + 0.25 * math.log(1.5)
    assert expected == pytest.approx(0.27465, abs=1e-5)
    found = psi(np.array([n // 2, n // 2]), np.array([n // 4, 3 * n // 4]))
    assert found == pytest.approx(expected, abs=1e-7)


def test_psi_null_is_chi_squared():
    r, n, bins = rng("psi/null"), 2000, 10
    p = np.full(bins, 1 / bins)
    values = np.array([psi(r.multinomial(n, p), r.multinomial(n, p)) for _ in range(2000)])
    within(values, (bins - 1) * 2 / n)
    assert (bins - 1) * 2 / n == pytest.approx(0.009)
    assert null_quantile([bins], n, n) == pytest.approx(0.0169, abs=1e-4)
    assert (values > null_quantile([bins], n, n)).mean() == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 2000))


def test_psi_of_an_empty_bin_is_finite_by_the_stated_rule():
    p, q = np.array([10.5, 0.5]) / 11, np.array([5.5, 5.5]) / 11
    expected = ((p - q) * np.log(p / q)).sum()
    assert psi(np.array([10, 0]), np.array([5, 5])) == pytest.approx(expected, rel=1e-12)


def test_psi_bins_are_deciles_of_the_real_records_alone():
    real = rng("psi/bins").standard_normal(10_000)
    bins = Bins.of(Field(name="a"), real)
    assert bins.count == 10
    assert np.bincount(bins.codes(real).astype(int)) == pytest.approx(np.full(10, 1000), abs=1)
    np.testing.assert_allclose(bins.edges, np.quantile(real, np.arange(1, 10) / 10))


def test_detection_of_shifted_normals_is_the_known_auc():
    r = rng("c2st")
    truth = stats.norm.cdf(1 / math.sqrt(2))
    assert truth == pytest.approx(0.76025, abs=1e-5)
    n = 2000
    z = np.concatenate([r.standard_normal(n), r.standard_normal(n) + 1])[:, None]
    kinds = np.repeat([1, 0], n)
    value, u = out_of_fold(logistic, z, kinds, folds(z, 5, r))
    assert abs(value - truth) < 4 * u
    assert u < 0.03


class Discriminant:
    """Fisher's: what a logistic regression finds between two normals, in closed form and so in no time."""

    def fit(self, z, kinds):
        ones, zeros = z[kinds == 1], z[kinds == 0]
        within_both = np.cov(ones.T) + np.cov(zeros.T)
        self.direction = np.linalg.solve(within_both, ones.mean(axis=0) - zeros.mean(axis=0))
        return self

    def predict_proba(self, z):
        return np.stack([-z @ self.direction, z @ self.direction], axis=1)


@functools.cache
def detections(shift, repetitions=200, n=100):
    """AUC and u of as many pairs of samples, of N(0, 1) and of N(shift, 1) in the first of two dimensions."""
    r, kinds, found = rng(f"c2st/coverage/{shift}"), np.repeat([1, 0], n), []
    for _ in range(repetitions):
        z = r.standard_normal((2 * n, 2))
        z[:n, 0] += shift
        found.append(out_of_fold(Discriminant, z, kinds, folds(z, 5, r)))
    return np.array(found).T


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
def test_detection_bounds_cover_as_often_as_they_say(shift):
    """What is estimated is the AUC of the classifier as trained: its mean, one half for equal laws."""
    value, u = detections(shift)
    truth = 0.5 if shift == 0 else value.mean()
    assert truth <= stats.norm.cdf(shift / math.sqrt(2)) + 4 * value.std() / math.sqrt(len(value))
    most = stats.binom.isf(1e-3, len(value), 0.05)
    assert (value - Z95 * u > truth).sum() <= most
    assert (value + Z95 * u < truth).sum() <= most


def test_detection_null_is_one_half_and_u_is_its_spread_which_delong_alone_is_not():
    value, u = detections(0.0)
    within(value, 0.5)
    spread = value.std(ddof=1)
    assert 0.8 * spread < u.mean() < 1.25 * spread
    assert u.mean() / math.sqrt(2) < 0.85 * spread  # records that are shared between folds: not to be left out


def test_delong_is_the_variance_of_the_auc():
    r, values, variances = rng("delong"), [], []
    for _ in range(400):
        value, variance = delong(r.standard_normal(60) + 0.5, r.standard_normal(40))
        values.append(value)
        variances.append(variance)
    within(values, stats.norm.cdf(0.5 / math.sqrt(2)))
    assert np.mean(variances) == pytest.approx(np.var(values, ddof=1), rel=4 * math.sqrt(2 / 400))


def test_linear_discriminant_accuracy():
    """Two normals a distance delta apart are told apart at Phi(delta / 2), the law behind TSTR."""
    r, delta, n = rng("lda"), 2.0, 4000

    def draw():
        y = np.arange(n) % 2
        return (r.standard_normal(n) + delta * y)[:, None], y

    (x, y), (held_x, held_y) = draw(), draw()
    accuracy = (logistic().fit(x, y).predict(held_x) == held_y).mean()
    truth = stats.norm.cdf(delta / 2)
    assert abs(accuracy - truth) < 4 * math.sqrt(truth * (1 - truth) / n)


def autoregressive(phi, n, length, r):
    x = np.empty((n, 1, length))
    x[:, :, 0] = r.standard_normal((n, 1)) / math.sqrt(1 - phi**2)
    for t in range(1, length):
        x[:, :, t] = phi * x[:, :, t - 1] + r.standard_normal((n, 1))
    return x


@pytest.mark.parametrize("phi", [0.8, -0.5, 0.0])
def test_acf_of_an_ar1_is_a_power(phi):
    r = rng(f"acf/{phi}")
    found = np.array([acf.autocorrelation(autoregressive(phi, 200, 64, r), 4)[0] for _ in range(30)])
    for lag in range(4):
        within(found[:, lag] + 1, 1 + phi ** (lag + 1))


def test_acf_distance_of_two_ar1():
    r = rng("acf/distance")
    lags = np.arange(1, 9)
    truth = math.sqrt(np.mean((0.8**lags - 0.3**lags) ** 2))
    found = acf.distance(autoregressive(0.8, 4000, 64, r), autoregressive(0.3, 4000, 64, r), 8)
    assert found == pytest.approx(truth, abs=0.02)


def test_acf_of_a_cosine_is_a_cosine():
    t = np.arange(120)
    phase = np.linspace(0, 2 * np.pi, 240, endpoint=False)[:, None, None]
    wave = np.cos(2 * np.pi * t / 12 + phase)
    np.testing.assert_allclose(acf.autocorrelation(wave, 12)[0], np.cos(2 * np.pi * np.arange(1, 13) / 12), atol=1e-9)


def tapered_spectrum(phi, length):
    """E of the tapered periodogram of an AR(1): its covariances against the self-convolution of the taper."""
    taper = np.hanning(length + 2)[1:-1]
    lags = np.arange(length)
    gamma = phi**lags / (1 - phi**2)
    overlaps = np.array([(taper[: length - k] * taper[k:]).sum() for k in lags]) / (taper**2).sum()
    frequencies = 2 * np.pi * np.arange(1, length // 2 + 1) / length
    weights = np.where(lags == 0, 1.0, 2.0) * gamma * overlaps
    return (weights * np.cos(np.outer(frequencies, lags))).sum(axis=1)


def test_psd_of_an_ar1_is_its_spectrum():
    r = rng("psd")
    each = psd.periodograms(autoregressive(0.7, 6000, 32, r))[:, 0]
    for column, truth in zip(each.T, tapered_spectrum(0.7, 32), strict=True):
        within(column, truth)


def test_psd_of_white_noise_is_flat():
    each = psd.periodograms(rng("psd/white").standard_normal((6000, 1, 32)))[:, 0, :-1]
    for column in each.T:
        within(column, 1.0)


def test_psd_distance_of_a_scale_is_its_decibels():
    power = psd.periodograms(rng("psd/scale").standard_normal((50, 2, 32)))
    assert psd.distance(power, 4 * power, np.zeros((2, 1))) == pytest.approx(10 * math.log10(4))
    assert psd.distance(power, power, np.zeros((2, 1))) == 0.0


@pytest.mark.parametrize(("n_train", "n_held"), [(150, 150), (400, 100)])
def test_memorisation_null_is_one_half_and_u_covers_it(n_train, n_held):
    values, errors = [], []
    for i in range(80):
        r = rng(f"dcr/{n_train}/{i}")
        y, train, held = (r.standard_normal((n, 4)) for n in (300, n_train, n_held))
        found = memorisation.share(closest(y, train), closest(y, held), n_train, n_held)
        values.append(found.value)
        errors.append(found.u)
    within(values, 0.5)
    assert 0.7 * np.std(values, ddof=1) < np.mean(errors) < 1.5 * np.std(values, ddof=1)


def test_memorisation_of_copies_is_certain_and_of_ties_is_one_half():
    r = rng("dcr/copies")
    train, held = r.standard_normal((300, 3)), r.standard_normal((100, 3))

    def share(y):
        return memorisation.share(closest(y, train), closest(y, held), 300, 100)

    assert share(train).value == 1.0
    assert share(held).value == 0.0
    assert share(train).lower > 0.95
    tied = memorisation.share(closest(held, held), closest(held, held), 100, 100)
    assert tied.value == 0.5


def test_fd_of_a_shift_is_its_square():
    x = rng("fd/shift").standard_normal((60, 4))
    assert frechet(x, x + np.array([1.0, 2, 0, -2])) == pytest.approx(9.0, abs=1e-9)


@pytest.mark.parametrize(("d", "n", "expected"), [(64, 1000, 2.208), (128, 1000, 8.512)])
def test_fd_null_of_many_dimensions(d, n, expected):
    r = rng(f"fd/null/{d}")
    assert 2 * d / n + d * (d + 1) / (2 * n) == pytest.approx(expected, abs=1e-3)
    values = [frechet(r.standard_normal((n, d)), r.standard_normal((n, d))) for _ in range(6)]
    assert np.mean(values) == pytest.approx(expected, rel=0.03)


def test_w1_of_a_bernoulli():
    """W1 of two laws on {0, 1} is the difference of their means."""
    x, y = np.repeat([0.0, 1.0], [30, 70])[:, None], np.repeat([0.0, 1.0], [55, 45])[:, None]
    assert wasserstein(x, y)[0] == pytest.approx(0.25)


def test_precision_and_recall_of_disjoint_and_of_equal_sets():
    x = rng("pr").standard_normal((100, 3))
    apart, same = overlap(x, x + 100, 3, 5), overlap(x, x.copy(), 3, 5)
    assert (apart.precise.any(), apart.recalled.any(), apart.depth.sum(), apart.covered.any()) == (
        False,
        False,
        0,
        False,
    )
    assert same.precise.all()
    assert same.recalled.all()
    assert same.covered.all()


def test_precision_null_of_16_dimensions():
    r = rng("pr/null")
    found = [overlap(r.standard_normal((500, 16)), r.standard_normal((500, 16)), 3, 5) for _ in range(10)]
    assert np.mean([each.precise.mean() for each in found]) == pytest.approx(0.79, abs=0.03)
    assert np.mean([each.recalled.mean() for each in found]) == pytest.approx(0.785, abs=0.03)


def test_reverse_kl_of_a_dropped_half():
    assert reverse_kl(np.array([10, 0]), np.array([0.5, 0.5])) == pytest.approx(math.log(2))
