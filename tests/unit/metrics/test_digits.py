"""On real digits the figures rank what is good and bad, and the examples' thresholds mean something."""

import itertools

import numpy as np
import pytest

from synthspec.metrics import Field, Sample, measure
from synthspec.metrics.bench import Bench
from synthspec.metrics.features import extractor
from synthspec.metrics.fid import mean_frechet, spread
from synthspec.metrics.membership.attacks import SUITE
from synthspec.metrics.stream import stream

FIDELITY = ("FID", "KID", "recall", "covg", "mode_drop")


def by_name(figures):
    return {figure.name: figure for figure in figures}


@pytest.fixture(scope="module")
def real(digits):
    return by_name(measure((*FIDELITY, "precision", "density"), digits.request(digits.real(digits.some))))


@pytest.fixture(scope="module")
def gaussian(digits):
    return by_name(measure(FIDELITY, digits.request(digits.gaussian())))


def test_real_data_keeps_the_promises_of_the_examples(real):
    assert real["FID"].upper < 20
    assert real["KID"].value + real["KID"].u < 0.05
    assert real["recall"].lower > 0.5
    assert real["covg"].lower > 0.8
    assert real["mode_drop"].value == 0.0
    assert abs(real["FID"].detail("fd_inf")) < 5
    assert real["FID"].value == pytest.approx(real["FID"].detail("null_at_n"), rel=0.4)


def test_a_gaussian_breaks_them(real, gaussian):
    assert gaussian["FID"].lower > 50
    assert gaussian["FID"].upper > 60
    assert gaussian["FID"].value > 4 * real["FID"].value
    assert gaussian["KID"].value - gaussian["KID"].u > 0.05
    assert gaussian["covg"].lower < 0.5
    assert gaussian["FID"].detail("control_gaussian") == pytest.approx(gaussian["FID"].value, rel=0.2)


def test_every_figure_has_its_credentials(real):
    for figure in real.values():
        assert figure.lower <= figure.value <= figure.upper, figure
        assert figure.u is not None
        assert figure.u >= 0
        assert figure.null is not None
        assert (figure.n_real, figure.n_syn, figure.split) == (270, 512, "test")
        assert figure.method
        assert figure.detail("seed") == 7
    assert real["FID"].label.startswith("FD[randcnn-v1@")


def test_noise_is_ranked_by_its_strength(digits):
    extract = extractor("image", (), (1, 8, 8))

    def fid(sample):
        return mean_frechet(10 * extract(digits.x[digits.test] / 8 - 1), 10 * extract(sample.content / 8 - 1))

    values = [fid(digits.noisy(sigma)) for sigma in (0.0, 0.05, 0.1, 0.2)]
    assert all(b > 1.4 * a for a, b in itertools.pairwise(values)), values


def test_dropped_classes_are_counted(digits):
    figures = by_name(measure(("mode_drop", "FID"), digits.request(digits.classes([0, 1, 2, 4, 8]))))
    assert figures["mode_drop"].value == pytest.approx(0.5)
    assert figures["mode_drop"].upper == figures["mode_drop"].value
    assert figures["FID"].lower > 10


def test_mode_drop_does_not_believe_the_requested_labels(digits):
    only = digits.classes([3])
    lying = Sample(content=np.repeat(only.content, 5, axis=0)[:512], labels=np.arange(512) % 10)
    assert measure(("mode_drop",), digits.request(lying))[0].value == pytest.approx(0.9)


def test_condition_accuracy_reads_the_pictures(digits):
    right = measure(("condition_accuracy",), digits.request(digits.real(digits.test)))[0]
    assert right.value == right.null > 0.95
    shifted = Sample(content=digits.x[digits.test], labels=(digits.y[digits.test] + 1) % 10)
    assert measure(("condition_accuracy",), digits.request(shifted))[0].upper < 0.1


def test_a_few_records_repeated_have_no_recall(digits):
    few = digits.train[:40][stream(1, "copies").integers(40, size=512)]
    figures = by_name(measure(("recall", "covg"), digits.request(digits.real(few))))
    assert figures["recall"].upper < 0.1
    assert figures["covg"].value < 0.75


def test_copies_of_the_training_set_break_membership_and_fresh_records_do_not(digits):
    copied = measure(("MI",), digits.request(digits.real(digits.train)))[0]
    assert copied.lower > 0.9
    fresh = measure(("MI",), digits.request(digits.gaussian()))[0]
    assert fresh.upper <= 0.30
    each = {attack: (fresh.detail(f"{attack}.advantage"), fresh.detail(f"{attack}.upper")) for attack in SUITE}
    assert fresh.value == each[fresh.detail("worst_attack")][0] == max(value for value, _ in each.values())
    assert fresh.upper == max(upper for _, upper in each.values()) > fresh.value + 0.05


def test_members_that_differ_in_law_prove_nothing(digits):
    odd = Sample(content=16 - digits.x[digits.val], labels=digits.y[digits.val])
    figure = measure(("MI",), digits.request(digits.gaussian(), val=odd))[0]
    assert figure.value is None
    assert "differ without the synthetic" in figure.reason


def test_the_order_of_records_does_not_matter(digits, real):
    shuffled = stream(2, "order").permutation(digits.some)
    figures = measure((*FIDELITY, "precision", "density"), digits.request(digits.real(shuffled)))
    for figure in figures:
        assert figure.value == pytest.approx(real[figure.name].value, abs=1e-9), figure.name


def test_the_bootstrap_error_of_fid_is_about_right(digits):
    pool, r = 10 * extractor("image", (), (1, 8, 8))(digits.x / 8 - 1), stream(5, "fid/spread")
    values, errors = [], []
    for _ in range(12):
        order = r.permutation(len(pool))
        x, y = pool[order[:500]], pool[order[500:1000]]
        values.append(mean_frechet(x, y))
        errors.append(spread(x, y, r, 15))
    assert 0.7 * np.std(values, ddof=1) < np.mean(errors) < 4 * np.std(values, ddof=1)


def test_another_range_of_the_same_pictures_gives_the_same_features(digits):
    few = Sample(content=digits.x[:20])
    half = Sample(content=digits.x[:20] / 2)
    fields = (Field(name="pixels", low=0.0, high=8.0),)
    one = Bench(digits.request(few)).features("synthetic")
    np.testing.assert_allclose(Bench(digits.request(half, fields=fields)).features("synthetic"), one, atol=1e-12)
