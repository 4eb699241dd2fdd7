import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.expr import PLAIN, Number, compile_trip, parse
from synthspec.expr.scalar import deviation, mean, quantile

SIGNALS = {"loss_val": PLAIN, "elbo_val": PLAIN, "temp": Number.of("degC"), "took": Number.of("ms")}


def trip(text, directions=None):
    return compile_trip(parse(text).value, SIGNALS, directions)


@pytest.mark.parametrize(
    ("text", "history", "tripped"),
    [
        ("loss_val > 2 * best(loss_val)", {"loss_val": [1.0, 0.5, 0.9]}, False),
        ("loss_val > 2 * best(loss_val)", {"loss_val": [1.0, 0.5, 1.1]}, True),
        ("loss_val > best(loss_val) + 1", {"loss_val": [3.0, 1.0, 2.5]}, True),
        ("loss_val > 50", {"loss_val": [100.0, 1.0]}, False),
        ("abs(loss_val) > 5", {"loss_val": [-6.0]}, True),
        ("loss_val > 50", {"loss_val": [math.inf]}, True),
        ("loss_val > 50", {"loss_val": []}, False),
        ("loss_val > 50", {}, False),
        ("loss_val > 50", {"loss_val": [1.0, math.nan]}, True),
        ("loss_val > 50", {"loss_val": [math.nan, 1.0]}, False),
        ("not isnull(loss_val) and loss_val > 50", {"loss_val": [math.nan]}, False),
        ("isnull(loss_val)", {"loss_val": [math.nan]}, True),
        ("loss_val > 2 * best(loss_val)", {"loss_val": [math.nan, 1.0, 3.0]}, True),
        ("loss_val < mean(loss_val) - 2 * std(loss_val)", {"loss_val": [1.0, 1.1, 0.9, 1.0, 1.05, 0.95, -5.0]}, True),
        ("min(loss_val) < 1 and max(loss_val) > 2", {"loss_val": [0.5, 3.0]}, True),
        ("quantile(loss_val, 0.5) == 2", {"loss_val": [3.0, 1.0, 2.0]}, True),
        ("last(loss_val) == loss_val and len(loss_val) == 2", {"loss_val": [3.0, 1.0]}, True),
        ("max(loss_val, 2) > 2", {"loss_val": [3.0, 1.0]}, False),
        ("temp > 80 degC", {"temp": [20.0, 81.0]}, True),
        ("temp > 180 degF", {"temp": [81.0]}, False),
        ("std(temp) > 1 K", {"temp": [20.0, 20.5]}, False),
        ("mean(temp) > 20 degC", {"temp": [20.0, 20.5]}, True),
        ("took > 2 s", {"took": [2001.0]}, True),
    ],
)
def test_trips(text, history, tripped):
    assert trip(text)(history) is tripped


def test_the_best_may_be_the_largest():
    history = {"elbo_val": [-9.0, -3.0, -7.0]}
    falling = "elbo_val < best(elbo_val) - 2"
    assert trip(falling, {"elbo_val": "max"})(history) is True
    assert trip(falling)(history) is False


@pytest.mark.parametrize("text", ["loss_val", "loss_val > 1 s", "nope > 1", "best(loss_val + 1) > 2"])
def test_an_unchecked_trip_is_a_bug(text):
    with pytest.raises(ValueError, match="`"):
        trip(text)


samples = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20)


@given(samples, st.floats(0, 1))
def test_aggregates_against_the_standard_library(values, q):
    assert mean(values) == pytest.approx(statistics.fmean(values), abs=1e-9)
    assert deviation(values) == pytest.approx(statistics.stdev(values), rel=1e-9, abs=1e-6)
    assert min(values) <= quantile(values, q) <= max(values)
    assert quantile(values, 0.5) == pytest.approx(statistics.median(values), abs=1e-9)


@given(samples, st.floats(0, 1))
def test_quantiles_are_those_of_numpy(values, q):
    import numpy as np

    assert quantile(values, q) == pytest.approx(float(np.quantile(values, q)), rel=1e-9, abs=1e-6)


@given(st.lists(st.sampled_from([1.0, -2.0, math.inf, -math.inf, math.nan, 1e308]), min_size=1, max_size=6))
def test_a_trip_never_raises(values):
    for text in (
        "std(loss_val) > 1",
        "mean(loss_val) > 1",
        "best(loss_val) > 1",
        "quantile(loss_val, 0.3) > 1",
        "max(loss_val) > 1",
    ):
        assert trip(text)({"loss_val": values}) in {True, False}
