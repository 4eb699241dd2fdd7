"""Series and clips: their features, ACF, PSD and FVD."""

import dataclasses

import numpy as np
import pytest

from synthspec.metrics import Field, Request, Sample, measure
from synthspec.metrics.features import extractor
from synthspec.metrics.features.dilated import RandTCN
from synthspec.metrics.features.quantiles import TableQuantile
from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.series import layout
from synthspec.metrics.stream import stream


def waves(name, n, phi=0.8, length=24):
    r = stream(41, name)
    x = r.standard_normal((n, length))
    for t in range(1, length):
        x[:, t] = phi * x[:, t - 1] + x[:, t]
    return x


LONE = (Field(name="wave"),)
SERIES = Request(
    modality="timeseries",
    fields=LONE,
    seed=5,
    train=Sample(content=waves("train", 400)),
    test=Sample(content=waves("test", 300)),
    synthetic=Sample(content=waves("syn", 300)),
)


def by_name(names, request):
    return {figure.name: figure for figure in measure(names, request)}


def test_series_of_one_law_are_near_the_null_and_of_another_are_not():
    names = ("ACF", "PSD", "FID", "KID", "MMD")
    good = by_name(names, SERIES)
    bad = by_name(names, dataclasses.replace(SERIES, synthetic=Sample(content=waves("bad", 300, phi=0.2))))
    for name in names:
        assert good[name].value is not None, good[name]
        assert bad[name].lower > good[name].upper, (name, good[name], bad[name])
    assert good["FID"].label.startswith("FD[randtcn-v1@")
    assert (good["PSD"].unit, good["ACF"].unit) == ("dB", "1")


def test_a_wave_that_runs_backwards_has_the_same_spectrum_and_other_features():
    saw = np.cumsum(np.maximum(waves("saw", 300), 0), axis=1)
    request = dataclasses.replace(SERIES, train=None, test=Sample(content=saw))
    back = by_name(("ACF", "FID"), dataclasses.replace(request, synthetic=Sample(content=saw[:, ::-1].copy())))
    assert back["ACF"].value == pytest.approx(0.0, abs=1e-12)
    assert back["FID"].lower > back["FID"].null


def test_values_shuffled_in_time_keep_their_law_and_lose_their_correlation():
    content = SERIES.synthetic.content.copy()
    shuffled = stream(41, "shuffle").permuted(content, axis=1)
    found = by_name(("ACF", "PSD"), dataclasses.replace(SERIES, synthetic=Sample(content=shuffled)))
    assert found["ACF"].value > 0.2
    assert found["PSD"].value > 3.0


def test_channels_side_by_side_are_one_window():
    fields = tuple(Field(name=f"{c}.{t}") for c in "xy" for t in range(12))
    assert layout("timeseries", fields, (24,)) == (2, 12)
    assert layout("timeseries", LONE, (3, 12)) == (3, 12)
    assert layout("timeseries", (Field(name="a"), Field(name="b")), (2,)) is None
    assert layout("tabular", LONE, (24,)) is None
    assert layout("timeseries", (Field(name="kind.0", levels=2), Field(name="kind.1", levels=2)), (2,)) is None


def test_single_rows_are_no_series():
    rows = Request(
        modality="timeseries", fields=(Field(name="a"), Field(name="b")), seed=1,
        test=Sample(content=np.zeros((50, 2))), synthetic=Sample(content=np.zeros((50, 2))),
    )  # fmt: skip
    for figure in measure(("ACF", "PSD"), rows):
        assert "no windows" in figure.reason


@pytest.mark.parametrize("shape", [(8,), (13,), (40,), (3, 16), (1, 300)])
def test_windows_of_any_length_have_the_same_number_of_features(shape):
    x = stream(41, "shapes").standard_normal((20, *shape))
    found = extractor("timeseries", LONE, shape, x)(x)
    assert found.shape == (20, 3, 24)
    assert 0.1 < np.sqrt((found**2).mean()) < 4.0


def test_features_of_series_are_frozen_and_of_each_row_alone():
    real = np.sin(np.linspace(0, 6, 32)).reshape(1, 1, 32) + np.zeros((4, 1, 1))
    extract = RandTCN(real)
    ramp = np.linspace(-1, 1, 32).reshape(1, 32)
    assert extract.name == "randtcn-v1@022ac2fa"
    np.testing.assert_allclose(extract(ramp)[0, :, 0], [-2.322479937207, 0.391548298374, 2.598807183953], atol=1e-9)
    many = stream(41, "rows").standard_normal((600, 32))
    np.testing.assert_allclose(extract(many)[[3, 599]], extract(many[[3, 599]]), atol=1e-12)


def test_the_unit_of_a_series_does_not_matter():
    x, y = waves("unit/x", 50), waves("unit/y", 50)
    one = extractor("timeseries", LONE, (24,), x)(y)
    np.testing.assert_allclose(extractor("timeseries", LONE, (24,), 1000 * x + 7)(1000 * y + 7), one, atol=1e-9)


def clips(name, n, frames=4):
    """A bright column that walks to the right."""
    r = stream(41, name)
    start = r.integers(0, 8, n)
    x = np.zeros((n, frames, 1, 8, 8))
    for t in range(frames):
        x[np.arange(n), t, 0, :, (start + t) % 8] = 1.0
    return np.clip(x + 0.1 * r.standard_normal(x.shape), -1, 2)


CLIPS = Request(
    modality="video",
    fields=(Field(name="clip", low=-1.0, high=2.0),),
    seed=5,
    test=Sample(content=clips("clips/test", 241)),
    synthetic=Sample(content=clips("clips/syn", 241)),
)


def test_frames_in_another_order_are_another_clip():
    """A bag of frames has the same frames; the published FVD barely notices."""
    (good,) = measure(("FVD",), CLIPS)
    mixed = stream(41, "clips/mixed").permuted(np.arange(4))
    assert list(mixed) != list(range(4))
    (bad,) = measure(("FVD",), dataclasses.replace(CLIPS, synthetic=Sample(content=CLIPS.synthetic.content[:, mixed])))
    assert good.label.startswith("FVD[rand3d-v1@")
    assert bad.lower > 2 * good.upper


def test_the_features_of_clips_are_frozen_and_pluggable():
    found = extractor("video", (), (4, 1, 8, 8))
    assert found.name == "rand3d-v1@288c7b8f"
    np.testing.assert_allclose(found(CLIPS.test.content[:70])[[1, 69]], found(CLIPS.test.content[[1, 69]]), atol=1e-12)

    class Mean:
        name, sha256, fd_scale = "mean@00000000", "0" * 64, 1.0

        def __call__(self, content):
            return content.mean(axis=(1, 2, 3, 4))[:, None, None]

    (figure,) = measure(("FVD",), dataclasses.replace(CLIPS, extractor=Mean()))
    assert figure.label == "FVD[mean@00000000]"


def test_fvd_is_about_clips():
    (figure,) = measure(("FVD",), SERIES)
    assert "timeseries" in figure.reason
    with pytest.raises(UnmeasurableError, match="a clip is"):
        extractor("video", (), (1, 8, 8))


MIXED = (Field(name="x"), Field(name="y", nullable=True), Field(name="kind", levels=2, nullable=True))


def test_quantile_features_are_normal_scores_gaps_and_one_hot():
    real = np.array([[1.0, np.nan, 0], [2, 5, 1], [2, 6, -1], [9, 7, 0]])
    extract = TableQuantile(MIXED, real)
    found = extract(np.array([[2.0, np.nan, -1], [100.0, 6.0, 1], [-5.0, 5.0, 0]]))[:, 0]
    half, edge = 1 / np.sqrt(2), 1.1503493803760079  # Phi^-1(7/8), the score of what lies beyond four records
    np.testing.assert_allclose(found[:, 0], [0.0, edge, -edge], atol=1e-12)
    np.testing.assert_allclose(found[0, 1:3], [0.0, 1.0])
    np.testing.assert_allclose(found[1, 1:3], [0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(found[:, 3:], [[half, 0, 0], [0, 0, half], [0, half, 0]])
    assert found.shape[1] == extract.dim


def test_monotone_maps_of_a_column_change_no_score():
    r = stream(41, "monotone")
    real, other = r.exponential(1.0, (200, 1)), r.exponential(1.0, (50, 1))
    one = TableQuantile(LONE, real)(real)
    np.testing.assert_allclose(TableQuantile(LONE, np.log(real))(np.log(real)), one, atol=1e-12)
    assert np.abs(TableQuantile(LONE, real)(other)).max() <= np.abs(one).max() + 1e-12


def test_a_constant_column_tells_what_differs():
    found = TableQuantile(LONE, np.full((10, 1), 3.0))(np.array([[3.0], [4.0], [2.0]]))[:, 0, 0]
    assert found[0] == 0.0
    assert found[1] > 0 > found[2]


def test_synthetic_records_do_not_move_the_features():
    a = TableQuantile(MIXED, np.arange(30.0).reshape(10, 3) % 2)
    before = a(np.array([[0.0, 1.0, 1.0]]))
    a(np.full((5, 3), 100.0))
    np.testing.assert_array_equal(a(np.array([[0.0, 1.0, 1.0]])), before)
