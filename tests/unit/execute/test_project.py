"""Records on the constraints: the nearest ones, at a cost that is told, and no further than allowed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from synthspec.backend.dataset import Dataset
from synthspec.execute.core.content import allowed
from synthspec.execute.core.counted import moved as cost_figure
from synthspec.execute.core.enforce import choose, examine
from synthspec.execute.core.expressions import holds
from synthspec.execute.core.project import nearest, project
from synthspec.ir.ops import Enforce
from synthspec.ir.schema import Field, Rule, Schema

POWER = "[L]^2 [M] [T]^-3"


def field(name, dtype="float32", **more):
    return Field(name=name, role="content", dtype=dtype, **more)


PASSIVE = Schema(
    modality="tabular",
    fields=(
        field("power_in", unit="mW", dimension=POWER, range=(0.0, 20.0)),
        field("power_out", unit="uW", dimension=POWER, range=(0.0, 20000.0)),
        field("tag", "int16", range=(0.0, 9.0)),
    ),
    rules=(
        Rule(id="passive", expr="power_out <= power_in", severity="block"),
        Rule(id="faint", expr="power_out <= 1 uW", severity="warn"),
    ),
)


def records(*rows):
    inside, out = zip(*rows, strict=True)
    tags = np.arange(len(rows), dtype=np.int16)
    return Dataset({"power_in": np.array(inside, np.float32), "power_out": np.array(out, np.float32), "tag": tags})


def test_a_record_goes_to_the_nearest_one_and_the_others_stay():
    moved = project(PASSIVE, records((10, 4000), (10, 14000), (3, 1)), 1.0)
    assert moved.data["power_in"] == pytest.approx([10, 12, 3], rel=1e-5)
    assert moved.data["power_out"] == pytest.approx([4000, 12000, 1], rel=1e-5)
    assert moved.data["power_in"][[0, 2]].tolist() == [10, 3]
    assert moved.data["tag"].tolist() == [0, 1, 2]
    assert holds(PASSIVE.rules[0], PASSIVE, moved.data.columns).all()


def test_the_cost_is_in_standard_deviations_of_the_candidates():
    before = records((10, 4000), (10, 14000), (3, 1))
    facts = dict(project(PASSIVE, before, 1.0).facts)
    sds = [float(before[name].astype(float).std()) for name in ("power_in", "power_out")]
    assert facts["projection_cost"] == pytest.approx(np.hypot(2 / sds[0], 2000 / sds[1]), rel=1e-4)
    assert facts["projection_cost_most"] == pytest.approx(0.1, rel=1e-4)
    assert (facts["projected"], facts["projected_beyond_cost"]) == (1, 0)


def test_no_record_goes_further_than_allowed():
    before = records((10, 4000), (10, 14000), (3, 15000))
    moved = project(PASSIVE, before, 0.15)
    assert moved.data["power_out"][2] == 15000
    assert (dict(moved.facts)["projected"], dict(moved.facts)["projected_beyond_cost"]) == (1, 1)
    assert project(PASSIVE, before, 0.0).data["power_out"].tolist() == before["power_out"].tolist()


def test_a_value_beyond_its_range_goes_to_its_end():
    before = Dataset({**records((25, 4000), (10, -3)).columns})
    moved = project(PASSIVE, before, 0.5)
    assert moved.data["power_in"].tolist() == [20, 10]
    assert moved.data["power_out"].tolist() == [4000, 0]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_whatever_is_drawn_all_rules_hold_on_the_steps_of_the_fields(seed):
    steps = Schema(
        modality="tabular",
        fields=(
            field("a", "int32", range=(-50.0, 50.0)),
            field("b", "float32", range=(0.0, 1e4), resolution=0.5),
            field("c", "float64", range=(-1e-3, 2.0)),
        ),
        rules=(
            Rule(id="one", expr="a + 0.01 * b <= 20", severity="block"),
            Rule(id="two", expr="c - a / 50 < 1 and 3 * c >= -1", severity="block"),
        ),
    )
    rng = np.random.default_rng(seed)
    drawn = Dataset(
        {
            "a": rng.integers(-50, 51, 60).astype(np.int32),
            "b": (rng.integers(0, 20001, 60) * 0.5).astype(np.float32),
            "c": rng.uniform(-1e-3, 2.0, 60),
        }
    )
    moved = project(steps, drawn, 1.0).data
    for each in steps.fields:
        assert allowed(each, moved[each.name]).all()
    for rule in steps.rules:
        assert holds(rule, steps, moved.columns).all()
    assert (moved["b"] * 2 == np.rint(moved["b"] * 2)).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_point_is_the_nearest_that_a_solver_finds(seed):
    rng = np.random.default_rng(seed)
    inside = rng.uniform(0.2, 0.8, 3)
    normals = rng.normal(size=(2, 3))
    bounds = normals @ inside + rng.uniform(0.0, 0.1, 2)
    x = rng.uniform(-0.5, 1.5, 3)
    found = nearest(x[None], normals, bounds)[0]
    limits = [{"type": "ineq", "fun": lambda y, k=k: bounds[k] - normals[k] @ y} for k in range(2)]
    best = minimize(
        lambda y: ((y - x) ** 2).sum(),
        inside,
        jac=lambda y: 2 * (y - x),
        bounds=[(0, 1)] * 3,
        constraints=limits,
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert (normals @ found <= bounds + 1e-7).all()
    assert np.linalg.norm(found - x) == pytest.approx(np.linalg.norm(best.x - x), abs=1e-5)


def test_enforcement_keeps_what_was_moved(tmp_path):
    from synthspec.backend.artifacts import DATA, ENFORCE_REPORT, SPLIT, EnforceReport, read_report
    from synthspec.backend.dataset import Rows, read_dataset, write_dataset, write_rows
    from synthspec.backend.protocol import Artifact, Context
    from synthspec.execute.core.enforce import enforce

    for name in ("data", "samples", "split", "out"):
        (tmp_path / name).mkdir()
    write_dataset(tmp_path / "data", records((10, 1), (5, 2)))
    write_dataset(tmp_path / "samples", records((10, 4000), (10, 14000), (3, 15000)))
    empty = np.zeros(0, np.int64)
    write_rows(tmp_path / "split", Rows(train=np.arange(2), val=empty, test=empty))
    inputs = {
        name: Artifact(tmp_path / name, (file,)) for name, file in (("data", DATA), ("samples", DATA), ("split", SPLIT))
    }
    op = Enforce(schema=PASSIVE, n=2, near_copies=None, max_cost=0.15)
    enforce(op, inputs, Context(out=tmp_path / "out", root=tmp_path, workers=1, progress=None))
    report = read_report(tmp_path / "out" / ENFORCE_REPORT, EnforceReport)
    assert read_dataset(tmp_path / "out" / DATA)["power_out"] == pytest.approx([4000, 12000], rel=1e-5)
    (figure,) = cost_figure(report)
    assert figure.name == "projection_cost"
    assert figure.value == dict(report.facts)["projection_cost"] > 0
    assert dict(figure.details)["projected"] == 1
    candidates = records((10, 4000), (10, 14000), (3, 15000))
    unmoved = Enforce(schema=PASSIVE, n=1, near_copies=None)
    assert choose(
        unmoved, candidates, examine(unmoved, candidates, candidates.take(np.zeros(0, np.int64)))
    ).tolist() == [0]
