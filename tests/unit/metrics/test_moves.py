"""Data that are shifted, rescaled, mode-dropped, copied or permuted move the right metrics in the right direction."""

import dataclasses

import numpy as np
import pytest

from synthspec.metrics import METRICS, Field, Request, Sample, measure
from synthspec.metrics.stream import stream

FIELDS = (
    Field(name="a", low=-10.0, high=20.0),
    Field(name="b", low=-10.0, high=10.0),
    Field(name="n", low=0.0, high=100.0, resolution=1.0),
    Field(name="kind", levels=4),
    Field(name="gap", nullable=True),
)
DIVERGENCES = ("FID", "KID", "W1", "MMD", "sliced_W2", "PSI", "detection_AUC")


def records(name, n):
    """A mixed table: two correlated numbers, a count, a category that moves one of them, and a number with gaps."""
    r = stream(31, f"moves/{name}")
    kind = r.integers(0, 4, n)
    a = r.normal(3.0 * kind, 1.0)
    b = 0.8 * a / 3 + r.normal(0, 0.6, n)
    gap = np.where(r.random(n) < 0.2, np.nan, r.exponential(2.0, n))
    return np.column_stack([a, b, r.poisson(7.0, n).astype(float), kind.astype(float), gap])


def labelled(content):
    return Sample(content=content, labels=(content[:, 3] > 1).astype(int))


REQUEST = Request(
    modality="tabular",
    fields=FIELDS,
    seed=3,
    train=labelled(records("train", 600)),
    val=labelled(records("val", 300)),
    test=labelled(records("test", 300)),
    classes=(0, 1),
)


def figures(content, names):
    found = measure(names, dataclasses.replace(REQUEST, synthetic=labelled(content)))
    assert all(figure.value is not None for figure in found), found
    return {figure.name: figure for figure in found}


@pytest.fixture(scope="module")
def fresh():
    return figures(records("fresh", 300), (*DIVERGENCES, "memorisation", "recall", "TSTR"))


def test_fresh_records_of_the_same_law_are_near_the_null(fresh):
    for name in DIVERGENCES:
        figure = fresh[name]
        assert figure.lower - 2 * figure.u <= max(figure.null, 0.0) or figure.value < 1.6 * figure.null, figure
    assert fresh["detection_AUC"].lower < 0.5 < fresh["detection_AUC"].upper
    assert fresh["memorisation"].lower < 0.5 < fresh["memorisation"].upper
    assert fresh["TSTR"].value > fresh["TSTR"].null - 0.05


def moved(change):
    content = records("fresh", 300).copy()
    change(content)
    return content


def shift(z):
    z[:, 0] += 2.0


def rescale(z):
    z[:, 1] *= 3.0


def drop_a_mode(z):
    z[z[:, 3] == 3] = z[z[:, 3] == 0][np.arange((z[:, 3] == 3).sum()) % (z[:, 3] == 0).sum()]


def fill_the_gaps(z):
    z[:, 4] = np.nan_to_num(z[:, 4], nan=2.0)


@pytest.mark.parametrize("change", [shift, rescale, drop_a_mode])
def test_every_divergence_rises(fresh, change):
    found = figures(moved(change), DIVERGENCES)
    for name in DIVERGENCES:
        assert found[name].value > fresh[name].value + 2 * fresh[name].u, (change.__name__, found[name], fresh[name])


def test_gaps_that_are_filled_are_seen(fresh):
    found = figures(moved(fill_the_gaps), DIVERGENCES)
    for name in ("W1", "PSI", "detection_AUC"):
        assert found[name].value > fresh[name].value + 2 * fresh[name].u, found[name]


def test_columns_permuted_apart_fool_their_shapes_and_no_joint_metric(fresh):
    """The factorised generator: every column right, nothing between them."""
    r = stream(31, "moves/permute")
    content = records("fresh", 300)
    apart = np.column_stack([r.permutation(column) for column in content.T])
    found = figures(apart, (*DIVERGENCES, "TSTR"))
    for name in ("W1", "PSI"):
        assert found[name].value == pytest.approx(fresh[name].value, abs=1e-12)
    for name in ("detection_AUC", "FID", "sliced_W2"):
        assert found[name].lower > fresh[name].upper, found[name]
    assert found["detection_AUC"].value > 0.85


def test_the_order_of_rows_moves_nothing():
    content = records("fresh", 300)
    mixed = content[stream(31, "moves/order").permutation(300)]
    one, other = figures(content, DIVERGENCES), figures(mixed, DIVERGENCES)
    for name in DIVERGENCES[:-1]:
        assert other[name].value == pytest.approx(one[name].value, rel=1e-9, abs=1e-12)
    assert abs(other["detection_AUC"].value - one["detection_AUC"].value) < 4 * one["detection_AUC"].u


def test_a_copy_of_the_training_records_breaks_privacy_and_not_fidelity(fresh):
    found = figures(REQUEST.train.content.copy(), ("FID", "memorisation", "MI", "detection_AUC"))
    assert found["memorisation"].lower > 0.9
    assert found["memorisation"].detail("exact_copies") == 1.0
    assert found["memorisation"].detail("median_distance_ratio") == 0.0
    assert found["MI"].lower > 0.9
    assert found["FID"].value < 1.5 * fresh["FID"].value
    assert found["detection_AUC"].value < 0.62


def test_a_copy_of_the_reference_split_is_no_proof_of_anything():
    """Every synthetic record has its twin on the other side: what looks better than chance is a leak."""
    r = stream(31, "moves/twins")
    twins = REQUEST.test.content + 1e-4 * r.standard_normal(REQUEST.test.content.shape)
    twins[:, 2:4] = REQUEST.test.content[:, 2:4]
    (figure,) = measure(("detection_AUC",), dataclasses.replace(REQUEST, synthetic=labelled(twins)))
    assert figure.value is None or figure.upper >= 0.5
    exact = figures(REQUEST.test.content.copy(), ("detection_AUC",))["detection_AUC"]
    assert exact.value == pytest.approx(0.5, abs=4 * exact.u)


def test_digits_of_a_file_format_are_no_detection():
    """float32 against float64, and whole counts against rounded ones, must not tell the two sides apart."""
    content = records("fresh", 300)
    content[:, 2] += 1e-6
    found = figures(content.astype(np.float32).astype(np.float64), ("detection_AUC",))["detection_AUC"]
    assert found.lower < 0.5 < found.upper


def test_labels_that_say_nothing_teach_nothing(fresh):
    content = records("fresh", 300)
    wrong = Sample(content=content, labels=stream(31, "moves/labels").integers(0, 2, 300))
    (figure,) = measure(("TSTR",), dataclasses.replace(REQUEST, synthetic=wrong))
    assert figure.upper < 0.8 < fresh["TSTR"].lower
    assert figure.detail("delta_down") == pytest.approx(figure.null - figure.value)


def test_a_target_field_is_predicted_from_the_others():
    request = dataclasses.replace(REQUEST, synthetic=labelled(records("fresh", 300)), target="b")
    tstr, trtr = measure(("TSTR", "TRTR"), request)
    assert tstr.detail("score") == trtr.detail("score") == "R2"
    assert tstr.value > 0.4
    assert tstr.null == pytest.approx(trtr.value)
    (kind,) = measure(("TSTR",), dataclasses.replace(request, target="kind"))
    assert kind.detail("score") == "accuracy"
    assert kind.value > 2 * kind.detail("floor")
    (none,) = measure(("TSTR",), dataclasses.replace(request, target="nothing"))
    assert "nothing is no column" in none.reason


def test_utility_is_never_scored_on_the_training_split():
    request = dataclasses.replace(REQUEST, synthetic=labelled(records("fresh", 300)), reference="train")
    for figure in measure(("TSTR", "TRTR", "memorisation"), request):
        assert figure.value is None
        assert "train" in figure.reason


@pytest.mark.parametrize("values", [1, 3, 10])
def test_a_collapsed_generator_is_told_at_once(values):
    """However few records it makes: they are spread over the folds, and a classifier knows them by heart."""
    r = stream(31, f"moves/collapsed/{values}")
    few = r.normal(size=(values, 2))[np.arange(150) % values]
    fields = (Field(name="a"), Field(name="b"))
    request = Request(
        modality="tabular", fields=fields, seed=1, test=Sample(content=r.normal(size=(150, 2))),
        train=Sample(content=r.normal(size=(150, 2))), synthetic=Sample(content=few),
    )  # fmt: skip
    (found,) = measure(("detection_AUC",), request)
    assert found.value > 0.95
    same = dataclasses.replace(
        request, test=Sample(content=np.zeros((150, 2))), synthetic=Sample(content=np.zeros((150, 2)))
    )
    (found,) = measure(("detection_AUC",), same)
    assert found.value == 0.5


@pytest.mark.parametrize("part", ["synthetic", "train"])
def test_a_column_of_gaps_alone_and_numbers_beyond_float32_end_nothing(part):
    odd = records("gaps alone", 120)
    odd[:, 4], odd[:, 0] = np.nan, 1e50 * odd[:, 0]
    short = {name: labelled(records(name, 120)) for name in ("train", "val", "test", "synthetic")}
    request = dataclasses.replace(REQUEST, **short | {part: labelled(odd)}, target="kind")
    for figure in measure(("TSTR", "TRTR", "detection_AUC"), request):
        assert figure.value is not None, figure.reason


def test_what_has_no_square_is_unproven_everywhere():
    odd = records("beyond", 600)
    odd[3, 0] = -1e150
    request = dataclasses.replace(REQUEST, synthetic=labelled(odd), target="kind")
    for figure in measure([name for name in METRICS if name != "latency_ms_p99"], request):
        assert figure.value is None
        assert "the synthetic records have a value of 1e+150" in figure.reason


def test_pictures_of_floats_are_held_against_the_largest_double():
    """The bound lies beyond float32, which a comparison in that type would turn into an overflow."""
    given = {name: Sample(content=np.full((50, 1, 4, 4), 3e38, np.float32)) for name in ("train", "test", "synthetic")}
    request = Request(modality="image", fields=(Field(name="x", low=0.0, high=4e38),), seed=1, **given)
    (figure,) = measure(("W1",), request)
    assert "beyond 1e+100" not in figure.reason
