"""`measure` answers everything it is asked: a figure, or why there is none. It never raises for a user's fault."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.metrics import METRICS, Counted, Field, Latencies, Request, Sample, measure
from synthspec.metrics.stream import stream


def table(n, name, shift=0.0):
    r = stream(4, name)
    content = np.column_stack([r.normal(10 + shift, 2, n), r.normal(0, 1, n), r.integers(0, 3, n)])
    return Sample(content=content, labels=(content[:, 0] > 10).astype(int))


FIELDS = (Field(name="a", low=0.0, high=20.0), Field(name="b", low=-5.0, high=5.0), Field(name="kind", levels=3))
TABLE = Request(
    modality="tabular",
    fields=FIELDS,
    seed=1,
    train=table(300, "train"),
    val=table(120, "val"),
    test=table(120, "test"),
    synthetic=table(200, "syn"),
    classes=(0, 1),
)


def only(name, request):
    (figure,) = measure((name,), request)
    return figure


MEASURED = tuple(m for m in METRICS if m not in {"latency_ms_p99", "ACF", "PSD", "FVD"})  # of series and clips


def test_every_metric_measures_a_table():
    for figure in measure(MEASURED, TABLE):
        assert figure.value is not None, figure
        assert figure.lower <= figure.value <= figure.upper, figure
        assert math.isfinite(figure.u), figure
        numbers = (
            figure.value,
            figure.u,
            figure.lower,
            figure.upper,
            *([figure.null] if figure.name != "TRTR" else []),
        )
        assert {type(number) for number in numbers} == {float}, figure
        assert {type(value) for _, value in figure.details} <= {str, int, float, bool}, figure


def test_w1_is_in_training_deviations_and_names_the_worst_column():
    shifted = only("W1", dataclasses.replace(TABLE, synthetic=table(200, "syn", shift=4.0)))
    assert shifted.detail("W1[a]") == pytest.approx(2.0, abs=0.35)
    assert shifted.detail("worst_column") == "a"
    assert shifted.value == pytest.approx(np.mean([shifted.detail(f"W1[{c}]") for c in ("a", "b", "kind")]))


def test_w1_of_categories_is_total_variation():
    content = TABLE.synthetic.content.copy()
    content[:, 2] = 0
    figure = only("W1", dataclasses.replace(TABLE, synthetic=Sample(content=content)))
    share = (TABLE.test.content[:, 2] == 0).mean()
    assert figure.detail("W1[kind]") == pytest.approx(1 - share)


def test_the_bandwidth_is_frozen_on_real_data():
    one = only("MMD", TABLE).detail("bandwidth")
    assert only("MMD", dataclasses.replace(TABLE, synthetic=table(200, "syn", shift=5.0))).detail("bandwidth") == one


class First:
    """An extractor that a backend might bring: the first column alone."""

    name, sha256, fd_scale = "first@00000000", "0" * 64, 1.0

    def __call__(self, content):
        return content[:, None, :1]


def test_an_extractor_that_is_brought_replaces_the_embedded_one():
    figure = only("FID", dataclasses.replace(TABLE, extractor=First()))
    assert figure.label == "FD[first@00000000]"
    x, y = TABLE.test.content[:, 0], TABLE.synthetic.content[:, 0]
    expected = (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2
    assert figure.value == pytest.approx(expected)


def test_modes_without_labels_are_clusters():
    def bare(sample):
        return dataclasses.replace(sample, labels=None)

    many = table(900, "many")
    request = dataclasses.replace(TABLE, classes=(), train=bare(TABLE.train), test=bare(TABLE.test), synthetic=many)
    figure = only("mode_drop", request)
    assert figure.label == "mode_drop[k-means-10]"
    assert figure.value == 0.0
    one = Sample(content=np.repeat(TABLE.test.content[:1], 900, axis=0))
    assert only("mode_drop", dataclasses.replace(request, synthetic=one)).value == pytest.approx(0.9)


SPOILT = (
    {"synthetic": None},
    {"test": None},
    {"synthetic": Sample(content=np.zeros((0, 3)))},
    {"synthetic": Sample(content=np.full((200, 3), np.nan))},
    {"synthetic": Sample(content=np.zeros((200, 4)))},
    {"synthetic": Sample(content=np.array([["x", "y", "z"]] * 200))},
    {"synthetic": Sample(content=TABLE.synthetic.content, labels=np.zeros(7))},
)
FEW_SYNTHETIC = {"synthetic": Sample(content=TABLE.synthetic.content[:3], labels=TABLE.synthetic.labels[:3])}
FEW_REAL = {"test": Sample(content=TABLE.test.content[:5], labels=TABLE.test.labels[:5])}
CASES = [
    *((name, change) for name in MEASURED if name != "TRTR" for change in SPOILT),  # it reads no synthetic record
    *((name, FEW_SYNTHETIC) for name in MEASURED if name not in {"MI", "condition_accuracy"}),  # their bounds say so
    *((name, FEW_REAL) for name in MEASURED if name != "condition_accuracy"),  # which needs it for its null only
]


@pytest.mark.parametrize(("name", "change"), CASES)
def test_what_is_missing_or_spoilt_is_a_reason_and_not_a_number(name, change):
    figure = only(name, dataclasses.replace(TABLE, **change))
    assert figure.value is None, figure
    assert figure.reason
    assert (figure.lower, figure.upper, figure.u) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("condition_accuracy", {"classes": ()}, "no condition class"),
        ("condition_accuracy", {"classes": (0,)}, "outside the declared classes: 1"),
        ("condition_accuracy", {"train": None}, "no train records"),
        ("MI", {"members": "val"}, "both val"),
        ("MMD", {"modality": "image"}, "range|channels"),
        ("FID", {"synthetic": table(40, "few")}, "50 of each are needed"),
        ("latency_ms_p99", {}, "no request was timed"),
        ("FIDD", {}, "did you mean 'FID'"),
    ],
)
def test_reasons_are_plain(name, change, why):
    figure = only(name, dataclasses.replace(TABLE, **change))
    assert figure.value is None
    assert any(part in figure.reason for part in why.split("|")), figure.reason


def test_a_rare_mode_that_cannot_be_judged_is_refused():
    figure = only("mode_drop", dataclasses.replace(TABLE, synthetic=table(8, "eight")))
    assert figure.value is None
    assert "rarest mode" in figure.reason


def test_the_same_request_gives_the_same_figures():
    assert measure(MEASURED, TABLE) == measure(tuple(reversed(MEASURED)), TABLE)[::-1]


def test_another_seed_changes_errors_and_not_values():
    other = dataclasses.replace(TABLE, seed=2)
    for name in ("FID", "W1", "KID"):
        assert only(name, other).value == only(name, TABLE).value
        assert only(name, other).u != only(name, TABLE).u


def test_a_name_is_measured_once():
    assert [f.name for f in measure(("W1", "W1", "covg"), TABLE)] == ["W1", "covg"]


def timed(n):
    nanoseconds = np.arange(1, n + 1)[::-1] * 1_000_000
    return dataclasses.replace(TABLE, latencies=Latencies(nanoseconds=nanoseconds, warm_up=10, threads=2))


def test_latency_is_in_milliseconds_with_an_upper_bound():
    figure = only("latency_ms_p99", timed(1000))
    assert (figure.value, figure.unit, figure.method) == (990.0, "ms", "order-statistic")
    assert figure.lower < 990 < figure.upper <= 1000
    assert (figure.detail("p50"), figure.detail("p95"), figure.detail("max")) == (500.0, 950.0, 1000.0)
    assert (figure.detail("warm_up"), figure.detail("threads"), figure.n_syn) == (10, 2, 1000)


def test_latency_below_299_has_no_upper_bound():
    figure = only("latency_ms_p99", timed(298))
    assert figure.value is not None
    assert figure.upper is None
    assert "299" in figure.reason
    assert only("latency_ms_p99", timed(299)).upper == 299.0


def test_negative_durations_are_refused():
    bad = Latencies(nanoseconds=np.array([-1, 5]), warm_up=0, threads=1)
    assert only("latency_ms_p99", dataclasses.replace(TABLE, latencies=bad)).value is None


def test_counts_are_exact():
    counted = (Counted(name="replay_mismatches", value=0, n=512), Counted(name="NFE", value=40.0))
    first, second = measure(("replay_mismatches", "NFE"), dataclasses.replace(TABLE, counted=counted))
    assert (first.value, first.lower, first.upper, first.u, first.method) == (0, 0, 0, 0.0, "exact")
    assert type(first.value) is float
    assert first.detail("n") == 512
    assert second.value == 40.0


@pytest.mark.parametrize(
    "counted", [Counted(name="unpersisted", value=0, n=0), Counted(name="unpersisted", value=math.nan)]
)
def test_counting_nothing_proves_nothing(counted):
    assert only("unpersisted", dataclasses.replace(TABLE, counted=(counted,))).value is None


CHEAP = tuple(m for m in METRICS if m not in {"FID", "MI", "MMD", "W1"})
TINY = st.sampled_from([None, table(0, "z"), table(1, "o"), table(12, "d"), table(60, "s")])


@settings(max_examples=25, deadline=None)
@given(train=TINY, val=TINY, test=TINY, synthetic=TINY, name=st.sampled_from(CHEAP), labelled=st.booleans())
def test_no_request_makes_measure_raise(train, val, test, synthetic, name, labelled):
    request = Request(
        modality="tabular",
        fields=FIELDS,
        seed=0,
        train=train,
        val=val,
        test=test,
        synthetic=synthetic,
        classes=(0, 1) if labelled else (),
    )
    figure = only(name, request)
    assert (figure.value is None) == bool(figure.reason)
