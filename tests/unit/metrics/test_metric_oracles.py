"""The estimators of later metrics against other people's code, where that is installed."""

import numpy as np
import pytest
from scipy import signal
from scipy.spatial.distance import cdist

from synthspec.metrics import acf, psd
from synthspec.metrics.detection_auc import delong
from synthspec.metrics.fid import frechet
from synthspec.metrics.kernels import cubic, gaussian, mmd2
from synthspec.metrics.neighbours import closest, hits, nearest, overlap, radii
from synthspec.metrics.sliced_w2 import directions, w2_squared
from synthspec.metrics.stream import stream


def test_w2_agrees_with_pot():
    ot = pytest.importorskip("ot")
    r = stream(9, "pot")
    x, y = r.standard_normal((40, 3)), r.standard_normal((55, 3)) * 1.5 + 0.3
    axes = directions(3, 64, r)
    expected = ot.sliced_wasserstein_distance(x, y, projections=axes, p=2) ** 2
    assert w2_squared(x @ axes, y @ axes).mean() == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save")
def test_fid_and_kid_agree_with_torchmetrics():
    torch = pytest.importorskip("torch")
    fid = pytest.importorskip("torchmetrics.image.fid")
    kid = pytest.importorskip("torchmetrics.image.kid")

    class Features(torch.nn.Module):
        num_features = 4

        def forward(self, x):
            return x.double().flatten(1)[:, :4]

    r = stream(9, "torchmetrics")
    x, y = r.random((200, 1, 2, 2)), r.random((200, 1, 2, 2)) ** 2
    shape = {"feature": Features(), "normalize": True, "input_img_size": (1, 2, 2)}
    theirs = (
        fid.FrechetInceptionDistance(**shape).set_dtype(torch.float64),
        kid.KernelInceptionDistance(feature=Features(), normalize=False, subsets=1, subset_size=200),
    )
    for metric in theirs:
        metric.normalize = False
        metric.update(torch.from_numpy(x), real=True)
        metric.update(torch.from_numpy(y), real=False)
    a, b = x.reshape(len(x), -1), y.reshape(len(y), -1)
    assert frechet(a, b) == pytest.approx(float(theirs[0].compute()), rel=1e-6)
    assert mmd2(cubic, a, b) == pytest.approx(float(theirs[1].compute()[0]), rel=1e-5)


def test_mmd_agrees_with_the_kernel_of_scikit_learn():
    from sklearn.metrics.pairwise import rbf_kernel

    r = stream(9, "rbf")
    x, y = r.standard_normal((30, 4)), r.standard_normal((25, 4)) + 0.5
    kxx, kyy, kxy = (rbf_kernel(a, b, gamma=0.5 / 1.7**2) for a, b in ((x, x), (y, y), (x, y)))
    expected = (kxx.sum() - 30) / (30 * 29) + (kyy.sum() - 25) / (25 * 24) - 2 * kxy.mean()
    assert mmd2(gaussian(1.7), x, y) == pytest.approx(expected, rel=1e-12)


def test_auc_agrees_with_scikit_learn():
    from sklearn.metrics import roc_auc_score

    r = stream(9, "auc")
    a, b = np.round(r.standard_normal(80), 1) + 0.5, np.round(r.standard_normal(50), 1)
    truth = roc_auc_score(np.repeat([1, 0], [80, 50]), np.concatenate([a, b]))
    assert delong(a, b)[0] == pytest.approx(truth, abs=1e-12)


def test_periodograms_agree_with_scipy():
    x = stream(9, "periodogram").standard_normal((5, 2, 48))
    taper = np.hanning(50)[1:-1]
    _, expected = signal.periodogram(x, window=taper, detrend=False, scaling="density", fs=1.0)
    expected[:, :, 1:-1] /= 2  # one-sided: scipy folds the negative frequencies in
    np.testing.assert_allclose(psd.periodograms(x), expected[:, :, 1:], rtol=1e-12)


def test_autocorrelation_agrees_with_the_double_sum():
    x = stream(9, "acf").standard_normal((6, 2, 20)) + 1.0
    z = x - x.mean(axis=(0, 2), keepdims=True)
    expected = [
        [np.mean([z[i, c, t] * z[i, c, t + k] for i in range(6) for t in range(20 - k)]) for k in range(1, 6)]
        for c in range(2)
    ] / (z**2).mean(axis=(0, 2))[:, None]
    np.testing.assert_allclose(acf.autocorrelation(x, 5), expected, rtol=1e-12)


def awkward(name, n, d, far):
    """Few distinct records, many equal, far from the origin: what matrix products round badly."""
    r = stream(9, name)
    return np.round(r.standard_normal((n, d)), 0)[r.integers(max(2, n // 3), size=n)] + far


@pytest.mark.parametrize(
    ("n", "m", "d", "far"), [(60, 80, 2, 0.0), (90, 50, 3, 1e6), (40, 40, 1, -3e4), (70, 70, 20, 5.0)]
)
def test_balls_are_those_of_true_distances(n, m, d, far):
    x, y = awkward("x", n, d, far), awkward("y", m, d, far)
    (found,) = radii(x, 3)
    np.testing.assert_allclose(found, np.sort(cdist(x, x), axis=1)[:, 3], rtol=1e-12)
    np.testing.assert_allclose(nearest(x, y), cdist(x, y).min(axis=1), rtol=1e-12)
    np.testing.assert_array_equal(closest(x, y).index, cdist(x, y).argmin(axis=1))
    np.testing.assert_array_equal(hits(y, x, found), (cdist(y, x) <= np.sort(cdist(x, x), axis=1)[:, 3]).sum(axis=1))
    both, wide, (reach,) = overlap(x, y, 3, 5), radii(x, 5)[0], radii(y, 3)
    np.testing.assert_array_equal(both.precise, hits(y, x, found) > 0)
    np.testing.assert_array_equal(both.depth, hits(y, x, wide))
    np.testing.assert_array_equal(both.covered, nearest(x, y) <= wide)
    np.testing.assert_array_equal(both.recalled, hits(x, y, reach) > 0)


def test_several_radii_are_those_of_each():
    x = awkward("radii", 80, 3, 0.0)
    for k, found in zip((5, 3), radii(x, 5, 3), strict=True):
        np.testing.assert_array_equal(found, radii(x, k)[0])
