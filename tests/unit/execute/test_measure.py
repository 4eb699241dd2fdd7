"""The figures of a run come from its artifacts, and say what they rest on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synthspec.backend.artifacts import (
    DATA,
    ENFORCE_REPORT,
    FIGURES,
    LATENCIES,
    LATENCY_REPORT,
    REPLAY_REPORT,
    SAMPLE_REPORT,
    SPLIT,
    DimCheck,
    EnforceReport,
    LatencyReport,
    ReplayReport,
    SampleReport,
    read_figures,
    write_report,
)
from synthspec.backend.dataset import Dataset, Rows, write_dataset, write_rows
from synthspec.backend.protocol import Artifact, Context
from synthspec.execute.core.measure import described, measure, request_of, writable
from synthspec.ir.evidence import Figure
from synthspec.ir.ops import Measure
from synthspec.ir.schema import Field, Schema
from synthspec.spec.evaluation import Features, MembershipAttack


class Silent:
    def start(self, label, total, unit):
        """Say nothing."""

    def advance(self, count=1, note=""):
        """Say nothing."""


SCHEMA = Schema(
    modality="tabular",
    fields=(
        Field(name="x", role="content", dtype="float32", unit="mm", range=(-10, 10)),
        Field(name="v", role="content", dtype="float64", shape=(2,), range=(0, 1)),
        Field(name="k", role="content", dtype="categorical", enum=("a", "b", "c")),
        Field(name="temp", role="condition", dtype="float32", unit="degC"),
        Field(name="site", role="condition", dtype="categorical", enum=("p", "q")),
    ),
)


def op(**changes):
    stated = {
        "schema": SCHEMA,
        "metrics": ("W1", "latency_ms_p99"),
        "reference": "test",
        "features": Features(),
        "membership_attack": MembershipAttack(members="train", non_members="val"),
        "conditions": ("temp", "site"),
        "w_cfg": 0.5,
        "seed": 7,
    }
    return Measure(**{**stated, **changes})


def records(n, seed):
    rng = np.random.default_rng(seed)
    return Dataset(
        {
            "x": rng.normal(size=n).astype(np.float32),
            "v": rng.random((n, 2)),
            "k": rng.integers(0, 3, n),
            "temp": rng.random(n).astype(np.float32),
            "site": rng.integers(0, 2, n),
        }
    )


@pytest.fixture
def inputs(tmp_path):
    def node(name, **files):
        (tmp_path / name).mkdir()
        return Artifact(tmp_path / name, tuple(files.values()))

    made = {
        "data": node("data", a=DATA),
        "split": node("split", a=SPLIT),
        "samples": node("samples", a=DATA, b=ENFORCE_REPORT),
        "raw": node("raw", a=DATA, b=SAMPLE_REPORT),
        "latency": node("latency", a=LATENCIES, b=LATENCY_REPORT),
        "replay": node("replay", a=REPLAY_REPORT),
    }
    write_dataset(tmp_path / "data", records(300, 0))
    write_rows(tmp_path / "split", Rows(train=np.arange(200), val=np.arange(200, 240), test=np.arange(240, 300)))
    write_dataset(tmp_path / "samples", records(80, 1))
    checks = (DimCheck(expr="x", dimension="[L]", ok=True), DimCheck(expr="x + t", dimension="mismatch", ok=False))
    report = EnforceReport(candidates=90, accepted=85, kept=80, near_copies=0, dim_checks=checks)
    write_report(tmp_path / "samples", ENFORCE_REPORT, report)
    spent = SampleReport(records=90, steps=20, net_calls=20, net_evals_per_sample=40, cfg_evals=20)
    write_report(tmp_path / "raw", SAMPLE_REPORT, spent)
    write_dataset(tmp_path / "latency", Dataset({"latency_ms": np.linspace(1, 2, 320)}), LATENCIES)
    write_report(
        tmp_path / "latency", LATENCY_REPORT, LatencyReport(requests=320, warmup=10, batch=1, threads=2, device="cpu")
    )
    write_report(tmp_path / "replay", REPLAY_REPORT, ReplayReport(blocks=(3,), records=64, mismatches=2))
    return made


def figures(op_, inputs, tmp_path):
    (tmp_path / "out").mkdir()
    measure(op_, inputs, Context(out=tmp_path / "out", root=tmp_path, workers=1, progress=Silent()))
    return {figure.name: figure for figure in read_figures(tmp_path / "out" / FIGURES)}


def test_what_was_asked_for_and_what_falls_off_the_run(inputs, tmp_path):
    found = figures(op(), inputs, tmp_path)
    assert list(found) == [
        "W1",
        "latency_ms_p99",
        "NFE",
        "w_cfg",
        "check_dim_failures",
        "acc_rate",
        "replay_mismatches",
    ]
    assert (found["W1"].n_real, found["W1"].n_syn, found["W1"].split) == (60, 80, "test")
    assert 0 < found["W1"].value < 1
    assert found["latency_ms_p99"].value == pytest.approx(1 + 316 / 319)
    told = {key: found["latency_ms_p99"].detail(key) for key in ("n", "device", "threads", "warm_up", "batch")}
    assert told == {"n": 320, "device": "cpu", "threads": 2, "warm_up": 10, "batch": 1}
    assert (found["NFE"].value, found["NFE"].detail("cfg_evals"), found["NFE"].detail("n")) == (40, 20, 90)
    assert found["w_cfg"].value == 0.5
    assert (found["check_dim_failures"].value, found["check_dim_failures"].detail("first")) == (1, "x + t")
    assert (found["replay_mismatches"].value, found["replay_mismatches"].detail("n")) == (2, 64)


def test_what_was_not_run_is_not_measured(inputs, tmp_path):
    few = {port: inputs[port] for port in ("data", "split", "samples")}
    found = figures(op(w_cfg=None), few, tmp_path)
    assert list(found) == ["W1", "latency_ms_p99", "check_dim_failures", "acc_rate"]
    assert found["latency_ms_p99"].value is None
    assert found["latency_ms_p99"].reason


def test_the_same_artifacts_give_the_same_bytes(inputs, tmp_path):
    figures(op(), inputs, tmp_path)
    first = (tmp_path / "out" / FIGURES).read_bytes()
    (tmp_path / "out").rename(tmp_path / "before")
    figures(op(), inputs, tmp_path)
    assert (tmp_path / "out" / FIGURES).read_bytes() == first


def test_the_metrics_see_the_content_as_the_schema_says(inputs):
    request = request_of(op(), inputs)
    data = records(300, 0)
    assert [(f.name, f.low, f.high, f.levels) for f in request.fields] == [
        ("x", -10, 10, 0),
        ("v.0", 0, 1, 0),
        ("v.1", 0, 1, 0),
        ("k", None, None, 3),
    ]
    assert request.test.content.shape == (60, 4)
    assert np.array_equal(request.test.content[:, 1:3], data["v"][240:])
    assert np.array_equal(request.train.content[:, 3], data["k"][:200])
    assert request.classes == (0, 1)
    assert np.array_equal(request.val.labels, data["site"][200:240])
    assert np.array_equal(request.synthetic.labels, records(80, 1)["site"])
    assert (request.reference, request.members, request.non_members, request.seed) == ("test", "train", "val", 7)
    assert request.latencies.nanoseconds[[0, -1]].tolist() == [10**6, 2 * 10**6]


def test_a_picture_stays_a_picture():
    schema = Schema(
        modality="image", fields=(Field(name="p", role="content", dtype="float32", shape=(1, 4, 4), range=(0, 16)),)
    )
    assert [item.name for item in described(schema)] == ["p"]


@pytest.mark.parametrize(
    ("field", "classes"),
    [
        (Field(name="c", role="condition", dtype="bool"), (0, 1)),
        (Field(name="c", role="condition", dtype="int8", enum=(3, 5)), (3, 5)),
        (Field(name="c", role="condition", dtype="float32"), ()),
    ],
)
def test_classes_are_what_the_column_holds(inputs, field, classes):
    schema = Schema(modality="tabular", fields=(SCHEMA.fields[0], field))
    plain = {port: inputs[port] for port in ("data", "split", "samples")}
    assert request_of(op(schema=schema, conditions=("c",)), plain).classes == classes


def test_numbers_that_json_does_not_have_become_words():
    figure = Figure(name="a", label="a", value=1.0, upper=math.inf, details=(("kl", math.inf), ("n", 3)))
    written = writable(figure)
    assert (written.value, written.upper, written.details) == (1.0, None, (("kl", "inf"), ("n", 3)))
    lost = writable(Figure(name="a", label="a", value=math.nan, u=1.0))
    assert (lost.value, lost.u, lost.reason) == (None, None, "it came out as nan")
