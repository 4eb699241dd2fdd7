"""P405-5 as a node: times drawn on tau_mono, published on ts and back; what a clock did stands in the report."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.backend.artifacts import DATA, FIGURES, SPLIT, read_figures, read_report
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_dataset, write_rows
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.backend.timepath import ALIGN_REPORT, AlignReport
from synthspec.execute.core.align import align
from synthspec.execute.core.clock import TimeAxis
from synthspec.execute.core.timed import align_reasons
from synthspec.ir.ops import Align
from synthspec.ir.schema import Field, Rule, Schema
from synthspec.spec.sampling import Timebase, TimeFit
from synthspec.timebase import Publisher
from synthspec.units import parse_quantity

START = 1767225600 * 10**9


def op(
    *, dtype: str = "float64", unit: str = "s", method: str = "least_squares", window: str = "300 s", seed: int = 5,
    extra: tuple[Field, ...] = (), rules: tuple[Rule, ...] = (), timezone: str = "UTC", low_high=None,
) -> Align:  # fmt: skip
    fields = (
        Field(name="tau", role="time", dtype=dtype, unit=unit, range=low_high),
        Field(name="ts", role="time", dtype="timestamp"),
        Field(name="x", role="content", dtype="float32", unit="m"),
        *extra,
    )
    fit = TimeFit(method=method, window=parse_quantity(window))
    timebase = Timebase(train_on="tau", publish_on="ts", fit=fit)
    schema = Schema(modality="timeseries", fields=fields, rules=rules)
    return Align(schema=schema, timebase=timebase, timezone=timezone, seed=seed)


def readings(tau_s, *, offset=2e-4, skew=3e-6, jitter=1e-6, seed=1):
    """ts in ns of a clock read at `tau_s`."""
    noise = jitter * np.random.default_rng(seed).standard_normal(len(tau_s))
    return (
        START + np.rint(tau_s * 1e9).astype(np.int64) + np.rint((offset + skew * tau_s + noise) * 1e9).astype(np.int64)
    )


def times(n=1200, seed=0, origin=0.0):
    return origin + np.cumsum(np.random.default_rng(seed).exponential(1.0, n)).round(6)


@pytest.fixture
def run(tmp_path):
    def aligned(asked: Align, tau, ts, made=200, train=None):
        for name in ("data", "split", "samples"):
            (tmp_path / name).mkdir(exist_ok=True)
        out = tmp_path / f"out{len(list(tmp_path.glob('out*')))}"
        out.mkdir()
        write_dataset(tmp_path / "data", Dataset({"tau": tau, "ts": ts, "x": np.zeros(len(tau), np.float32)}))
        empty = np.zeros(0, np.int64)
        rows = np.arange(len(tau)) if train is None else train
        write_rows(tmp_path / "split", Rows(train=rows, val=empty, test=empty))
        write_dataset(tmp_path / "samples", Dataset({"x": np.arange(made, dtype=np.float32)}))
        inputs = {
            "data": Artifact(tmp_path / "data", (DATA,)),
            "split": Artifact(tmp_path / "split", (SPLIT,)),
            "samples": Artifact(tmp_path / "samples", (DATA,)),
        }
        align(asked, inputs, Context(out=out, root=tmp_path, workers=1, progress=None))
        figures = {figure.name: figure for figure in read_figures(out / FIGURES)}
        return read_dataset(out / DATA), read_report(out / ALIGN_REPORT, AlignReport), figures

    return aligned


def test_records_get_ordered_times_and_keep_their_content(run):
    tau = times()
    data, report, figures = run(op(), tau, readings(tau))
    assert data["x"].tolist() == list(range(200))
    assert (np.diff(data["tau"]) >= 0).all()
    assert (np.diff(data["ts"]) > 0).all()
    assert np.diff(data["tau"]).mean() == pytest.approx(1.0, rel=0.25)
    assert (figures["tau_mono_decreases"].value, report.not_recovered) == (0, 0)
    assert abs(report.skew.value - 3e-6) < 4 * report.skew.u
    assert figures["J"].value == pytest.approx(1e-6, rel=0.1)
    assert figures["J"].upper > figures["J"].value > figures["J"].lower


def test_the_same_seed_gives_the_same_times_and_another_gives_others(run):
    tau = times()
    one, again, other = (run(op(seed=seed), tau, readings(tau))[0]["tau"] for seed in (5, 5, 6))
    assert (one == again).all()
    assert (one != other).any()


@pytest.mark.parametrize(
    ("dtype", "unit", "scale", "origin"),
    [
        ("float64", "s", 1.0, 0.0),
        ("float64", "ms", 1e3, 17.0),
        ("int64", "ns", 1e9, 3.0),
        ("int64", "ms", 1e3, 0.0),
        ("float32", "s", 1.0, 0.0),
        ("float64", "s", 1.0, 1.7e9),
        ("float64", "min", 1 / 60, 6e7),
    ],
)
def test_every_unit_and_dtype_comes_back_exactly(run, dtype, unit, scale, origin):
    tau = times(origin=origin)
    stored = (np.rint(tau * scale) if dtype.startswith("int") else tau * scale).astype(dtype)
    seconds = stored.astype(np.float64) / scale
    data, report, figures = run(op(dtype=dtype, unit=unit), stored, readings(seconds, jitter=1e-5))
    assert data["tau"].dtype == np.dtype(dtype)
    assert report.not_recovered == 0
    assert report.quantum >= 10
    assert figures["tau_mono_decreases"].value == 0
    assert np.diff(data["tau"].astype(np.float64) / scale).mean() == pytest.approx(1.0, rel=0.25)


@settings(deadline=None)
@given(
    st.floats(-1e9, 1e9), st.floats(-0.05, 0.05), st.floats(-10, 10), st.integers(0, 2**31),
    st.sampled_from([("float64", "s"), ("float64", "ms"), ("int64", "us"), ("float32", "s")]),
)  # fmt: skip
def test_publishing_and_coming_back_is_exact_for_any_clock(tau_ref, skew, offset, seed, form):
    asked = op(dtype=form[0], unit=form[1])
    axis = TimeAxis.of(asked)
    tau_ref = float(axis.seconds(np.array([axis.from_si(tau_ref)]).astype(axis.dtype))[0])
    publisher = Publisher(START, np.array([0.0, 1e3]), np.array([offset, offset + 1e3 * skew]))
    drawn = np.rint(np.random.default_rng(seed).exponential(1e9, 64)).astype(np.int64)
    quantum = axis.quantum(tau_ref, 64, drawn)
    column = axis.column(tau_ref, 0.0, np.cumsum(drawn), quantum)
    ts = publisher.publish(axis.ticks(column, tau_ref))
    assert (axis.column(tau_ref, 0.0, publisher.recover(ts), quantum) == column).all()
    assert (np.diff(ts) >= 0).all()


def test_a_decrease_of_the_reference_data_is_counted(run):
    tau = times()
    ts = readings(tau)
    tau[[400, 401]], ts[[400, 401]] = tau[[401, 400]], ts[[401, 400]]
    _, report, figures = run(op(), tau, ts)
    assert (figures["tau_mono_decreases"].value, report.real_decreases, report.made_decreases) == (1, 1, 0)


def test_a_step_is_told_and_what_is_published_lies_on_one_side_of_it(run):
    tau = times()
    ts = readings(tau)
    ts[400:] += 3_000_000
    data, report, figures = run(op(), tau, ts)
    (step,) = report.steps
    assert step.size == pytest.approx(3e-3, rel=1e-2)
    assert (step.before, step.after) == pytest.approx((tau[399], tau[400]), rel=1e-12)
    assert report.begin == pytest.approx(tau[400], rel=1e-12)
    assert figures["J"].value == pytest.approx(1e-6, rel=0.1)
    error = (data["ts"] - START - np.rint(data["tau"] * 1e9).astype(np.int64)) / 1e9
    assert error == pytest.approx(2e-4 + 3e-3 + 3e-6 * data["tau"], abs=1e-6)


def test_steps_outside_training_are_told_and_change_no_fit(run):
    tau = times()
    ts = readings(tau)
    train = np.arange(800)
    quiet = run(op(), tau, ts, train=train)
    ts[1000:] += 5_000_000
    told = run(op(), tau, ts, train=train)
    assert len(told[1].steps) == 1
    assert (told[0]["ts"] == quiet[0]["ts"]).all()
    assert told[1].skew == quiet[1].skew


def test_a_gap_is_told_and_no_made_spacing_is_as_long(run):
    tau = times()
    tau[600:] += 500.0
    data, report, _ = run(op(), tau, readings(tau), made=2000)
    (gap,) = report.gaps
    assert gap.after - gap.before == pytest.approx(500.0, abs=10)
    assert np.diff(data["tau"]).max() < 50.0


def test_too_little_and_too_wild_are_refused(run):
    tau = times(20)
    with pytest.raises(DataError, match=r"7 in all") as few:
        run(op(), tau, readings(tau), train=np.arange(7))
    assert few.value.code == "P405-5.too-few-readings"
    tau = times()
    with pytest.raises(DataError) as wild:
        run(op(), tau, readings(tau, skew=0.5))
    assert wild.value.code == "P405-5.clock-unusable"
    with pytest.raises(DataError, match="leaves what the SRef allows") as far:
        run(op(low_high=(0.0, 2000.0)), tau, readings(tau), made=5000)
    assert far.value.code == "data.out-of-range"


def test_what_gets_no_time_is_refused_before_anything_runs():
    assert list(align_reasons(op())) == []
    third = op(extra=(Field(name="t3", role="time", dtype="float64", unit="s"),))
    late = op(rules=(Rule(id="early", expr="tau >= 0 s", severity="block"),))
    derived = op(extra=(Field(name="age", role="derived", dtype="float64", unit="s", expr="2 * tau"),))
    said = [list(align_reasons(each)) for each in (third, late, derived, op(timezone="Europe/Berlin"))]
    assert [len(each) for each in said] == [1, 1, 1, 1]
    assert [word in each[0] for word, each in zip(("third", "'early'", "'age'", "UTC only"), said, strict=True)] == [
        True
    ] * 4
