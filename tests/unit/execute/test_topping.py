"""Rejection with top-up: exactly n records or an error at the cap, from the same stream of candidates."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.backend.artifacts import DATA, ENFORCE_REPORT, EnforceReport, read_report
from synthspec.backend.blocks import Drawn, sampling_kernels
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_dataset, write_rows
from synthspec.backend.draws import Stream, generator
from synthspec.execute import CORE, execute
from synthspec.execute.core.enforce import enforce
from synthspec.ir.drawing import GROWTH, candidates_for
from synthspec.ir.families import FlowEngine, Nll, NoMechanism, Optimizer, SplineCoupling, Stability, Training
from synthspec.ir.ops import Bind, Edge, Enforce, Fit, Replay, Sample, Split
from synthspec.ir.plan import Plan, PlanNode
from synthspec.ir.schema import Field, Rule, Schema
from synthspec.spec.data import RandomSplit
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.sampling import NearCopies
from synthspec.spec.sref import SRef
from synthspec.store import Store

N, FIRST, BLOCK = 20, 28, 8


def schema(limit):
    return Schema(
        modality="tabular",
        fields=(
            Field(name="x", role="content", dtype="float64", range=(0.0, 1.0)),
            Field(name="site", role="condition", dtype="categorical", enum=("rare", "usual")),
        ),
        rules=(Rule(id="small", expr=f"x <= {limit}", severity="block"),),
    )


class Uniform:
    """An engine of uniform numbers, all for the rare site."""

    device, threads = "cpu", 1

    def __init__(self, seed):
        self.seed = seed

    def draw(self, block, size):
        x = generator(self.seed, Stream.START, block).random(size)
        return Drawn(data=Dataset({"site": np.zeros(size, np.int64), "x": x}))


class Backend:
    name, version = "uniform", "1"

    def __init__(self):
        self.calls = []
        sampling = sampling_kernels(lambda op, _: Uniform(op.seed))
        kernels = {"bind": bind, "split": split, "fit": fit, "enforce": enforce, **sampling}
        self.table = {name: self.noted(kernel) for name, kernel in kernels.items()}

    def noted(self, kernel):
        def call(op, inputs, context):
            self.calls.append((op.op, getattr(op, "candidates", None)))
            kernel(op, inputs, context)

        return call

    def supports(self, op):
        return ()

    def missing(self):
        return ""

    def environment(self):
        return {}

    def kernels(self):
        return self.table


class Silent:
    def start(self, label, total, unit):
        """Say nothing."""

    def advance(self, count=1, note=""):
        """Say nothing."""


def bind(op, inputs, context):
    write_dataset(context.out, Dataset({"site": np.zeros(4, np.int64), "x": np.array([0.05, 0.5, 0.6, 0.7])}))


def split(op, inputs, context):
    empty = np.zeros(0, np.int64)
    write_rows(context.out, Rows(train=np.arange(4), val=empty, test=empty))


def fit(op, inputs, context):
    (context.out / "weights").write_text("none")


def plan_of(limit, attempts, near_copies=None):
    shape = schema(limit)
    engine = FlowEngine(family="flow", architecture=SplineCoupling(name="spline_coupling", transforms=1, hidden=(2,)))
    trained = Fit(
        schema=shape,
        engine=engine,
        objective=Nll(measure="nll"),
        training=Training(optimizer=Optimizer(name="sgd", lr=0.1)),
        stability=Stability(),
        privacy=NoMechanism(mechanism="none"),
        conditions=("site",),
        drop_rate=0.0,
    )
    sample = Sample(
        fit=trained, n=N, candidates=FIRST, seed=5, rng="philox", block=BLOCK, solver=None, w_cfg=0.0,
        variables=(), condition=(("site", "rare"),),
    )  # fmt: skip
    real = {"data": "bind", "split": "split"}
    shares = {"train": 0.5, "val": 0.25, "test": 0.25}
    ops = (
        ("bind", Bind(source="sklearn://iris", schema=shape), {}),
        ("split", Split(rule=RandomSplit(method="random", seed=1, **shares)), {"data": "bind"}),
        ("fit", trained, real),
        ("sample", sample, {"engine": "fit", **real}),
        ("replay", Replay(sample=sample, blocks=(1, 3)), {"engine": "fit", "samples": "sample", **real}),
        (
            "enforce",
            Enforce(schema=shape, n=N, near_copies=near_copies, most=N * attempts),
            {"samples": "sample", **real},
        ),
    )
    nodes = tuple(
        PlanNode(
            id=name,
            op=op,
            inputs=tuple(Edge(port=port, node=feed) for port, feed in sorted(inputs.items())),
            backend="uniform",
            backend_version="1",
            digest="",
        )
        for name, op, inputs in ops
    )
    spec, sref = EngineSpec.model_construct(), SRef.model_construct()
    return Plan(name="x", version="1.0.0", spec_digest="", spec=spec, sref=sref, compiler="", nodes=nodes)


@pytest.fixture
def run(tmp_path):
    def ran(plan, folder="store", workers=1):
        backend = Backend()
        with Store(tmp_path / folder) as store:
            outcome = execute(
                plan,
                {"uniform": backend, CORE.name: CORE},
                store,
                root=tmp_path,
                workers=workers,
                progress=Silent(),
            )
            return outcome, backend.calls, [(each.node, each.state) for each in store.journal.entries]

    return ran


def kept(outcome):
    artifact = outcome.value.node("enforce").artifact
    return read_dataset(artifact.path(DATA)), read_report(artifact.path(ENFORCE_REPORT), EnforceReport)


def test_what_falls_short_is_topped_up_to_exactly_n_from_the_same_stream(run):
    outcome, calls, journal = run(plan_of(0.1, attempts=50))
    data, report = kept(outcome)
    stream = np.concatenate([Uniform(5).draw(block, BLOCK).data["x"] for block in range(130)])
    small = np.flatnonzero(stream <= 0.1)
    own = [row for row in small if row < N]
    reserve = iter(row for row in small if row >= N)
    expected = [row if row in own else next(reserve) for row in range(N)]
    assert data["x"].tolist() == stream[expected].tolist()
    assert set(data["site"].tolist()) == {0}
    drawn = [count for op, count in calls if op == "sample"]
    assert drawn[0] == FIRST
    assert report.candidates == drawn[-1] <= N * 50
    facts = dict(report.facts)
    assert facts["acc_rate"] == report.accepted / report.candidates == np.mean(stream[: report.candidates] <= 0.1)
    assert facts["attempts"] == report.candidates / N
    assert ("enforce", "short") in journal
    assert ("enforce", "failed") not in journal


def test_what_came_of_the_shorter_sample_is_made_again(run):
    outcome, _, _ = run(plan_of(0.1, attempts=50))
    candidates = kept(outcome)[1].candidates
    samples, replay = outcome.value.node("sample"), outcome.value.node("replay")
    assert len(read_dataset(samples.artifact.path(DATA))) == candidates
    told = json.loads(replay.artifact.path("replay.json").read_text())
    # Two of four blocks were asked for: half of them all.
    assert len(told["blocks"]) == np.ceil(np.ceil(candidates / BLOCK) / 2)
    assert told["mismatches"] == 0
    assert [node.node for node in outcome.value.nodes] == ["bind", "split", "fit", "sample", "replay", "enforce"]


def test_workers_and_a_warm_store_change_no_byte(run):
    plan = plan_of(0.1, attempts=50)
    first, _, _ = run(plan)
    again, calls, _ = run(plan)
    other, _, _ = run(plan, folder="other", workers=4)
    assert len({each.value.node(name).record.digest for each in (first, again, other) for name in ("enforce",)}) == 1
    assert len({each.value.node("sample").record.digest for each in (first, again, other)}) == 1
    assert {op for op, _ in calls} == {"enforce"}  # only to find again how many it takes


def test_at_the_cap_there_is_an_error_and_never_fewer(run):
    outcome, calls, journal = run(plan_of(0.01, attempts=3))
    assert outcome.value is None
    assert [each.code for each in outcome.diagnostics] == ["P405-2.too-few-accepted"]
    assert "of 60 candidates" in outcome.diagnostics[0].message
    assert max(count for op, count in calls if op == "sample") == 60
    assert journal[-1] == ("enforce", "failed")


def test_near_copies_are_drawn_again(run):
    near = NearCopies(tau_nn=0.2, action="resample")
    data, report = kept(run(plan_of(1.0, attempts=50, near_copies=near))[0])
    assert len(data) == N
    assert report.candidates > FIRST
    assert report.near_copies > 0


def test_what_is_enough_is_drawn_once(run):
    _, calls, _ = run(plan_of(1.0, attempts=1))
    assert [op for op, _ in calls] == ["bind", "split", "fit", "sample", "replay", "enforce"]


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0, 1), st.integers(2, 100))
def test_the_next_number_grows_within_the_cap(n, drawn, rate, attempts):
    most = drawn * attempts
    wanted = candidates_for(n, drawn, int(rate * drawn), most)
    assert drawn < wanted <= most
    assert wanted <= max(2, np.ceil(GROWTH * drawn))
