"""Grades of a replay: what counts as the same numbers, and what as the same figures."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from synthspec.backend.dataset import Dataset
from synthspec.execute.core.export import write_npz
from synthspec.execute.core.export_jsonl import to_jsonl
from synthspec.execute.core.export_parquet import write_parquet
from synthspec.ir.manifest_evidence import Metric
from synthspec.ir.schema import Field, Schema
from synthspec.pipeline.agreement import Gap, Unlike, array_gap, gap_between
from synthspec.pipeline.grading import GRADES, Stand, stands, turned
from synthspec.pipeline.replaying import ABSENT, Comparison, Replay


def pair(folder, name):
    for each in ("then", "now"):
        (folder / each).mkdir(exist_ok=True)
    return folder / "then" / name, folder / "now" / name


def test_the_gap_of_weights_is_the_largest_over_all_tensors(tmp_path):
    then, now = pair(tmp_path, "engine.safetensors")
    one = {"a": np.array([0.0, 10.0], np.float32), "b": np.array([1.0, 2.0]), "n": np.array([3, 4])}
    save_file(one, then)
    save_file({**one, "a": np.array([0.0, 10.5], np.float32), "b": np.array([1.0, 2.2])}, now)
    found = gap_between(then, now)
    assert found.absolute == pytest.approx(0.5)
    assert (found.relative, found.where, found.reason) == (pytest.approx(0.2), "b", "")
    assert found.within(0.2 + 1e-9)
    assert not found.within(0.19)


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_records_of_every_format_are_held_number_by_number(tmp_path, kind):
    pytest.importorskip("pyarrow")

    def gap(**now):
        then = {"x": np.array([0.0, np.nan, 10.0]), "n": np.array([1, 2, 3]), "w": np.array([[0.0, 1], [2, 3], [4, 5]])}
        paths = pair(tmp_path, f"samples.{kind}")
        for path, columns in zip(paths, (then, then | now), strict=True):
            fields = [
                Field(name=name, role="content", dtype="int64" if name == "n" else "float64", shape=column.shape[1:])
                for name, column in columns.items()
            ]
            schema, kept = Schema(modality="tabular", fields=tuple(fields)), Dataset(columns)
            if kind == "jsonl":
                path.write_text("".join(to_jsonl(schema, kept)), encoding="utf-8")
            else:
                with path.open("wb") as file:
                    write_parquet(file, schema, kept, None)
        return gap_between(*paths)

    same = gap()
    assert (same.relative, same.reason) == (0.0, "")
    far = gap(x=np.array([0.5, np.nan, 10.0]))
    assert (far.relative, far.where, far.reason) == (pytest.approx(0.05), "x", "")
    assert gap(w=np.array([[0.0, 1], [2, 3], [4, 5.5]])).absolute == pytest.approx(0.5)
    assert gap(n=np.array([1, 2, 4])).reason
    assert gap(x=np.array([0.0, 1.0, 10.0])).reason
    assert gap(x=np.array([0.0, np.nan]), n=np.array([1, 2]), w=np.zeros((2, 2))).reason


def test_half_width_weights_are_read(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file as save

    then, now = pair(tmp_path, "engine.safetensors")
    save({"a": torch.tensor([1.0, 2.0], dtype=torch.bfloat16)}, then)
    save({"a": torch.tensor([1.0, 2.015625], dtype=torch.bfloat16)}, now)
    assert gap_between(then, now).absolute == pytest.approx(0.015625, rel=1e-9)


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ({"a": np.array([1.0, 2.0])}, "it holds other arrays"),
        ({"a": np.array([1.0, 2.0, 3.0]), "n": np.array([3])}, "a has another shape or type"),
        ({"a": np.array([1, 2]), "n": np.array([3])}, "a has another shape or type"),
        ({"a": np.array([1.0, 2.0]), "n": np.array([4])}, "n holds no fractions and differs"),
        ({"a": np.array([1.0, math.nan]), "n": np.array([3])}, "a has missing or infinite values elsewhere"),
    ],
)
def test_what_is_no_fraction_must_be_equal(tmp_path, now, reason):
    paths = pair(tmp_path, "samples.npz")
    write_npz(paths[0], {"a": np.array([1.0, 2.0]), "n": np.array([3])})
    write_npz(paths[1], now)
    found = gap_between(*paths)
    assert found.reason == reason
    assert not found.within(1.0)


def test_infinities_agree_only_with_their_own_sign():
    assert array_gap("a", np.array([math.inf, math.nan, 1.0]), np.array([math.inf, math.nan, 1.0])).relative == 0
    with pytest.raises(Unlike):
        array_gap("a", np.array([math.inf]), np.array([-math.inf]))


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_shift_and_unit_do_not_change_the_relative_gap(values, shift, factor):
    one = np.array([0.0, 1.0, *values])
    other = one + 0.01 * np.arange(len(one)) * np.ptp(one)
    plain = array_gap("a", one, other).relative
    assert array_gap("a", one * factor + shift, other * factor + shift).relative == pytest.approx(plain, rel=1e-3)


CSV = "x,n,word\n1.0,3,a\n2.0,4,\n3.0,5,b\n"


@pytest.mark.parametrize(
    ("text", "relative", "said"),
    [
        (CSV.replace("2.0", "2.002"), 0.001, ""),
        (CSV.replace("4", "5"), 0.0, "the column n differs in something that is no fraction"),
        (CSV.replace("a\n", "c\n"), 0.0, "the column word differs in something that is no fraction"),
        (CSV.replace("2.0", ""), 0.0, "the column x differs in something that is no fraction"),
        (CSV.replace("2.0", "nan"), 0.0, "the column x differs in something that is no fraction"),
        (CSV + "4.0,6,a\n", 0.0, "it has another number of records or cells"),
        (CSV.replace("x,", "y,"), 0.0, "it has other columns"),
    ],
)
def test_tables_are_compared_cell_by_cell(tmp_path, text, relative, said):
    then, now = pair(tmp_path, "samples.csv")
    then.write_text(CSV, encoding="utf-8")
    now.write_text(text, encoding="utf-8")
    found = gap_between(then, now)
    assert (found.relative, found.reason) == (pytest.approx(relative), said)


def test_a_picture_may_be_a_rounding_off_and_no_more(tmp_path):
    from PIL import Image

    then, now = pair(tmp_path, "samples.png")
    Image.fromarray(np.full((4, 4), 100, np.uint8)).save(then)
    for level, reason in ((101, ""), (99, ""), (103, "a point of the picture differs by 3 levels")):
        Image.fromarray(np.full((4, 4), level, np.uint8)).save(now)
        assert gap_between(then, now).reason == reason


def test_what_has_no_reader_or_is_broken_is_never_numeric(tmp_path):
    for name in ("weights.json", "engine.safetensors", "samples.npz"):
        then, now = pair(tmp_path, name)
        then.write_bytes(b"{}")
        now.write_bytes(b"[]")
        assert gap_between(then, now).reason


def metric(name, value, **given):
    return Metric(name=name, label=name, value=value, unit="1", method="", details={}, reason="", **given)


def manifest(*metrics, result="held"):
    bounds = tuple(SimpleNamespace(metric=each.name) for each in metrics if each.name != "unasked")
    return SimpleNamespace(
        metrics=metrics, contracts=(SimpleNamespace(id="C40-511", result=result, bounds=bounds),)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("then", "now", "within"),
    [
        ({"value": 1.0, "lower": 0.5, "upper": 1.5}, 1.5, True),
        ({"value": 1.0, "lower": 0.5, "upper": 1.5}, 1.6, False),
        ({"value": 1.0, "lower": 0.5, "upper": 1.5}, 0.4, False),
        ({"value": 1.0, "u": 0.1}, 1.2, True),
        ({"value": 1.0, "u": 0.1}, 1.21, False),
        ({"value": 1.0, "u": 0.1, "upper": 1.1}, 0.7, False),
        ({"value": 1.0, "upper": 1.1}, 0.0, True),
        ({"value": 1.0, "upper": 1.1}, 1.2, False),
        ({"value": 7.0}, 7.0, True),
        ({"value": 7.0}, 8.0, False),
        ({"value": 7.0}, None, False),
        ({"value": None}, None, True),
        ({"value": None}, 1.0, False),
    ],
)
def test_a_figure_must_lie_in_the_interval_it_was_signed_with(then, now, within):
    found = stands(manifest(metric("W1", **then)), manifest(metric("W1", now)))
    assert [each.within for each in found] == [within]


def test_only_figures_of_contracts_count_and_times_are_held_to_theirs_alone():
    then = manifest(metric("latency_ms_p99", 5.0, upper=6.0), metric("unasked", 1.0), metric("W1", 1.0, u=0.1))
    found = stands(then, manifest(metric("latency_ms_p99", 50.0), metric("unasked", 9.0)))
    assert [(each.name, each.within) for each in found] == [("W1", False), ("latency_ms_p99", True)]


def test_a_contract_that_turns_is_told():
    then, now = manifest(metric("W1", 1.0)), manifest(metric("W1", 1.0), result="broken")
    assert turned(then, now) == ("C40-511: held then, broken now",)
    assert turned(then, then) == ()


SAME = Comparison(name="samples.csv", then="a", now="a")
NEAR = replace(SAME, now="b", gap=Gap(1e-9, 1e-6, "x"))
FAR = replace(SAME, now="b", gap=Gap(1.0, 0.5, "x"))
ELSEWHERE = (("/variables/OMP_NUM_THREADS", "1", "2"),)
INSIDE = Stand(name="W1", lower=0.0, upper=1.0, then=0.5, now=0.6)


@pytest.mark.parametrize(
    ("given", "grade"),
    [
        ({"files": (SAME,)}, "bitwise"),
        ({"files": (SAME,), "environment": ELSEWHERE}, "numeric"),
        ({"files": (SAME, NEAR)}, "numeric"),
        ({"files": (SAME, NEAR), "environment": ELSEWHERE}, "numeric"),
        ({"files": (SAME, NEAR), "tolerance": 1e-7}, "statistical"),
        ({"files": (NEAR, FAR)}, "statistical"),
        ({"files": (FAR,), "turned": ("C40-511: held then, broken now",)}, "differs"),
        ({"files": (FAR,), "figures": (replace(INSIDE, now=2.0),)}, "differs"),
        ({"files": (FAR,), "figures": ()}, "differs"),
        ({"files": (replace(SAME, now=ABSENT),), "figures": ()}, "differs"),
        ({"files": (), "figures": (INSIDE,)}, "differs"),
        ({"files": (SAME,), "inputs": (replace(SAME, now="b"),)}, "differs"),
        ({"files": (NEAR,), "inputs": (replace(SAME, now="b"),)}, "differs"),
        ({"files": (SAME,), "inputs": (replace(SAME, now="b"),), "environment": ELSEWHERE}, "differs"),
    ],
)
def test_the_grade_is_the_best_that_holds(given, grade):
    found = Replay(**({"inputs": (SAME,), "environment": (), "figures": (INSIDE,)} | given))
    assert found.grade == grade
    assert grade in GRADES


def test_missing_files_are_no_gap(tmp_path):
    assert (
        gap_between(Path(tmp_path / "a.csv"), Path(tmp_path / "b.csv")).reason == "it cannot be read: FileNotFoundError"
    )
