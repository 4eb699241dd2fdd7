"""Policies of the SRef at binding: what becomes of gaps and of values outside an enum, and what gaps are filled with."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.backend.artifacts import DATA, SPLIT, read_report
from synthspec.backend.conservation import CONSERVATION_REPORT
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_rows
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.backend.schema_report import IMPUTE_REPORT, SCHEMA_REPORT, ImputeReport, SchemaReport
from synthspec.execute.core.bind import SCHEMA, bind, bind_tables
from synthspec.execute.core.impute import completed, impute
from synthspec.execute.core.policing import Policing
from synthspec.execute.core.table import Table
from synthspec.ir.ops import Bind, Impute
from synthspec.ir.schema import Field, Schema
from synthspec.spec.data import Constant
from synthspec.spec.sref import Into, Policies

KEY = Field(name="rid", role="key", dtype="int64")
MASS = Field(name="mass", role="content", dtype="float64", unit="g", dimension="M", range=(0.0, 100.0))
KIND = Field(name="kind", role="content", dtype="categorical", enum=("a", "b", "other"))
CODE = Field(name="code", role="content", dtype="float32", enum=(1, 2, 9))
TABLE = Schema(modality="tabular", fields=(KEY, MASS, KIND, CODE), pk=("rid",))


@pytest.fixture
def bound(tmp_path):
    """Bind rows of (mass, kind, code) as CSV."""

    def run(rows, policy=None, schema=TABLE, filled=()):
        lines = [f"{number},{','.join(row)}" for number, row in enumerate(rows)]
        (tmp_path / "x.csv").write_text("\n".join(["rid,mass,kind,code", *lines]) + "\n")
        op = Bind(source="x.csv", schema=schema, policy=policy, filled=filled)
        bind(op, {}, Context(out=tmp_path, root=tmp_path, workers=1, progress=None))
        return read_dataset(tmp_path / DATA), read_report(tmp_path / SCHEMA_REPORT, SchemaReport)

    return run


ROWS = [("1", "a", "1"), ("", "b", "2"), ("3", "zebra", "9"), ("4", "a", "5"), ("NA", "quagga", "7")]


def test_without_a_policy_the_first_fault_stops_the_run(bound):
    with pytest.raises(DataError) as fault:
        bound(ROWS)
    assert "line 3, column 'mass'" in fault.value.message


def test_each_policy_counts_what_it_does(bound):
    policy = Policies(nulls={"mass": "drop"}, enums={"kind": Into(into="other"), "code": "drop"})
    data, report = bound(ROWS, policy)
    mass, kind, code = report.fields[1:]
    assert (mass.on_gap, mass.dropped_gaps, mass.gaps) == ("drop", 2, 0)
    assert (kind.on_unknown, kind.moved_unknown) == ("other", 2)
    assert (code.on_unknown, code.dropped_unknown) == ("drop", 2)
    assert (report.read, report.dropped, report.rows) == (5, 3, 2)
    assert data["rid"].tolist() == [0, 2]
    assert data["kind"].tolist() == [0, 2]


def test_what_is_left_still_says_where_it_stands(bound):
    policy = Policies(nulls={"mass": "drop"}, enums={"kind": "drop", "code": "drop"})
    with pytest.raises(DataError) as fault:
        bound([*ROWS, ("500", "a", "1")], policy)
    assert "line 7, column 'mass': '500' is outside the range" in fault.value.message


def test_nothing_left_is_said(bound):
    with pytest.raises(DataError) as fault:
        bound([("", "a", "1"), ("NA", "b", "2")], Policies(nulls={"mass": "drop"}))
    assert "has 2 records, and the policies of the SRef leave out all of them" in fault.value.message


def test_a_value_that_is_no_number_is_no_unknown_member(bound):
    with pytest.raises(DataError) as fault:
        bound([("1", "a", "one")], Policies(enums={"code": "drop"}))
    assert "'one' is not a number" in fault.value.message


@settings(max_examples=40, deadline=None)
@given(
    cells=st.lists(st.tuples(st.sampled_from(["", "1", "2.5"]), st.sampled_from("abxy")), min_size=1, max_size=30),
    parts=st.integers(1, 5),
)
def test_no_record_decides_over_another(cells, parts):
    """Records are kept or left out one by one: chunks of any size give the same ones."""
    schema = Schema(modality="tabular", fields=(MASS, KIND))
    policy = Policies(nulls={"mass": "drop"}, enums={"kind": "drop"})
    kept = [number for number, (mass, kind) in enumerate(cells) if mass and kind in "ab"]

    def chunks():
        for start in range(0, len(cells), parts):
            part = cells[start : start + parts]
            columns = {"mass": [mass for mass, _ in part], "kind": [kind for _, kind in part]}
            yield Table(name="x", rows=len(part), columns=columns, where=lambda row, s=start: f"row {s + row}")

    policing = Policing(schema, policy)
    if not kept:
        with pytest.raises(DataError):
            bind_tables(chunks(), schema, policing)
        return
    found = bind_tables(chunks(), schema, policing)
    assert found.columns["mass"].tolist() == [float(cells[number][0]) for number in kept]
    assert [found.places.where(place) for place in range(found.rows)] == [f"row {number}" for number in kept]
    assert (policing.read, policing.dropped) == (len(cells), len(cells) - len(kept))


@pytest.mark.parametrize("into", ["other", 9])
def test_numbers_of_an_array_become_members(into):
    field = KIND if into == "other" else CODE
    raw = np.array([1.0, 2.0, 77.0]) if into == 9 else np.array(["a", "b", "zebra"])
    table = Table(name="x", rows=3, columns={field.name: raw}, where=str)
    schema = Schema(modality="tabular", fields=(field,))
    found = bind_tables(iter([table]), schema, Policing(schema, Policies(enums={field.name: Into(into=into)})))
    assert found.columns[field.name].tolist() == ([1.0, 2.0, 9.0] if into == 9 else [0, 1, 2])


# -- filling ----------------------------------------------------------------------------------------------------------


def filled(field, values, how, train=None):
    train = np.arange(len(values)) if train is None else np.asarray(train)
    op = Impute(schema=Schema(modality="tabular", fields=(field,)), fill=((field.name, how),))
    data, report = completed(op, Dataset({field.name: np.asarray(values)}), train)
    return data[field.name].tolist(), report.fields[0]


NAN = float("nan")


@pytest.mark.parametrize(
    ("how", "value"), [("mean", 5.0), ("median", 3.0), ("mode", 2.0), (Constant(constant=7.5), 7.5)]
)
def test_gaps_are_filled_from_the_training_split_alone(how, value):
    values = [2.0, 2.0, 3.0, 4.0, 14.0, NAN, 90.0, NAN]
    found, told = filled(MASS, values, how, train=range(6))
    assert found == [2.0, 2.0, 3.0, 4.0, 14.0, value, 90.0, value]
    assert (told.filled, told.filled_train, told.values) == (2, 1, (repr(value),))


def test_a_statistic_keeps_to_the_resolution_and_the_range():
    stepped = replace(MASS, resolution=0.5)
    assert filled(stepped, [1.0, 1.5, 2.0, 2.5, NAN], "mean")[0][-1] == 2.0
    assert filled(stepped, [1.0, 1.5, 1.5, NAN], "mean")[0][-1] == 1.5


def test_classes_are_filled_with_a_member():
    assert filled(KIND, [0, 1, 1, -1], "mode")[0] == [0, 1, 1, 1]
    assert filled(KIND, [0, 1, 1, -1], Constant(constant="other")) == (
        [0, 1, 1, 2],
        filled(KIND, [0, 1, 1, -1], Constant(constant="other"))[1],
    )


def test_each_number_of_a_vector_has_its_own_statistic():
    vector = replace(MASS, shape=(2,))
    found, _ = filled(vector, [[1.0, 10.0], [3.0, NAN], [NAN, 30.0]], "mean")
    assert found == [[1.0, 10.0], [3.0, 20.0], [2.0, 30.0]]


def test_nothing_to_fill_with_is_said():
    with pytest.raises(DataError) as fault:
        filled(MASS, [NAN, NAN, 3.0], "mean", train=[0, 1])
    assert fault.value.code == "data.no-value"


def test_derived_fields_are_computed_again(bound, tmp_path):
    double = Field(name="double", role="derived", dtype="float64", unit="g", dimension="M", expr="mass + mass")
    schema = replace(TABLE, fields=(*TABLE.fields, double))
    data, report = bound([("1", "a", "1"), ("", "b", "2"), ("3", "a", "9")], schema=schema, filled=("mass",))
    assert np.isnan(data["double"]).tolist() == [False, True, False]
    assert (report.fields[1].on_gap, report.fields[1].gaps) == ("impute", 1)
    write_rows(tmp_path, Rows(np.array([0, 1]), np.array([2]), np.array([2])))
    out = tmp_path / "out"
    out.mkdir()
    inputs = Artifact(folder=tmp_path, files=(DATA, SPLIT, SCHEMA, CONSERVATION_REPORT))
    op = Impute(schema=schema, fill=(("mass", "mean"),))
    impute(op, {"data": inputs, "split": inputs}, Context(out=out, root=tmp_path, workers=1, progress=None))
    assert read_dataset(out / DATA)["double"].tolist() == [2.0, 2.0, 6.0]
    assert read_report(out / IMPUTE_REPORT, ImputeReport).fields[0].filled == 1
    assert (out / CONSERVATION_REPORT).is_file()


def test_a_constant_that_breaks_a_derived_field_is_refused():
    half = Field(
        name="half", role="derived", dtype="float64", unit="g", dimension="M", expr="mass / 2", range=(0.0, 10.0)
    )
    op = Impute(schema=Schema(modality="tabular", fields=(MASS, half)), fill=(("mass", Constant(constant=90.0)),))
    with pytest.raises(DataError) as fault:
        completed(op, Dataset({"mass": np.array([1.0, NAN])}), np.arange(2))
    assert "leaves 'half' in 1 record with" in fault.value.message
