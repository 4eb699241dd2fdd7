"""What is drafted for what was seen: dtype, role, gaps, bounds, and what is left out by name."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from synthspec.backend.artifacts import DATA
from synthspec.backend.dataset import read_dataset
from synthspec.backend.protocol import Context
from synthspec.draft.deciding import Proposal
from synthspec.draft.making import Asked, draft
from synthspec.execute.core.bind import bind
from synthspec.ir.ops import Bind
from synthspec.pipeline.front import load_sref
from synthspec.resolve import bind_schema

N = 60
NUMBERS = [f"{0.25 * k:.2f}" for k in range(N)]


def some(*values):
    """`values` over and over, `N` of them."""
    return [values[k % len(values)] for k in range(N)]


def bound(made, folder):
    """The columns of the table under the drafted SRef, every number stated to be dimensionless."""
    text = made.files["data.sref.yaml"].replace(", range:", ", unit: dimensionless, range:")
    (folder / "filled.sref.yaml").write_text(text, encoding="utf-8")
    document = load_sref(folder / "filled.sref.yaml")
    assert document.value is not None, document.diagnostics
    assert not document.diagnostics
    schema = document.then(bind_schema)
    assert schema.value is not None, schema.diagnostics
    out = folder / "out"
    out.mkdir(exist_ok=True)
    bind(
        Bind(source="table.csv", sha256="", schema=schema.value, policy=document.value.model.policy),
        {},
        Context(out=out, root=folder, workers=1, progress=None),
    )
    return read_dataset(out / DATA).columns


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [
        (some("3", "17", "40"), "int32"),
        (some("3", "17", str(2**40)), "int64"),
        (some("3", "", "17", "40"), "float64"),
        (some("1.5", "-2e3", "7"), "float64"),
        (some("0", "1"), "categorical"),
        (some("true", "False"), "bool"),
        (some("true", "", "FALSE"), "categorical"),
        (some("a", "b c", "?"), "categorical"),
        (some("007", "010", "100"), "categorical"),
        (some("2026-01-31T23:59:59Z", "2026-02-01T00:00:00+01:00"), "timestamp"),
        (some("1", "2", "3+"), "categorical"),
    ],
)
def test_the_narrowest_dtype_that_takes_every_value(fields, cells, dtype):
    assert fields({"x": cells, "y": NUMBERS})["x"].dtype == dtype


def test_ranges_are_widened_and_stay_above_zero(fields):
    found = fields({"x": [f"{7 + 0.3 * k:.3f}" for k in range(N)], "n": [str(17 + k) for k in range(N - 1)] + ["17"]})
    assert found["x"].range == (0, 30)
    assert found["n"].range == (10, 80)
    assert found["x"].says == ("seen 7 to 24.7: write what can be, not what was",)


def test_a_unit_is_offered_and_never_taken(drafted):
    made = drafted({"load [kW]": NUMBERS, "x": some("a", "b")}).value
    text = made.files["data.sref.yaml"]
    assert "the header speaks of kW: if that is the unit, write unit: kW" in text
    assert '"load [kW]": load' in text
    warm = drafted({"temp_C": NUMBERS, "x": some("a", "b")}).value.files["data.sref.yaml"]
    assert "write unit: C (that is the coulomb; degrees are unit: degC)" in warm
    assert all("unit:" not in line.partition("#")[0] for line in text.splitlines())


def test_gaps_are_learned_by_what_can_say_them_and_dropped_by_what_cannot(fields, drafted):
    columns = {
        "x": some("1.5", "", "2.5"),
        "n": some("1", "NA", "7", "9"),
        "kind": some("a", "", "b"),
        "when": some("2026-01-31T23:59:59Z", ""),
    }
    found = fields(columns)
    assert all(found[name].nullable for name in ("x", "n", "kind"))
    assert (found["n"].dtype, found["n"].resolution) == ("float64", 1)
    assert (found["when"].nullable, found["when"].drops) == (False, True)
    assert "nulls: {when: drop}" in drafted(columns).value.files["data.sref.yaml"]


@pytest.mark.parametrize(
    ("header", "cells", "dtype"),
    [
        ("id", [f"p{k}" for k in range(N)], "string"),
        ("patient id", [str(7 * k * k) for k in range(N)], "int64"),
        ("running", [str(k + 4) for k in range(N)], "int64"),
        ("who", [f"{k:03d}" for k in range(N)], "string"),
    ],
)
def test_what_is_there_once_and_names_records_is_the_key(fields, drafted, header, cells, dtype):
    columns = {"x": NUMBERS, header: cells}
    key = fields(columns)[header]
    assert (key.role, key.dtype) == ("key", dtype)
    assert f"keys: {{pk: [{key.heading.name}]}}" in drafted(columns).value.files["data.sref.yaml"]


def test_without_a_key_records_are_numbered_under_a_name_that_is_free(fields):
    found = fields({"rid": some("a", "b"), "x": [str(k * k) for k in range(N)]})
    assert found["record_number"].role == "key"
    assert found["x"].role == "content"


def test_a_second_name_of_the_records_is_not_learned(fields):
    found = fields({"id": [f"p{k}" for k in range(N)], "sample_id": [str(k * k) for k in range(N)], "x": NUMBERS})
    assert found["id"].role == "key"
    assert "not learned" in found["sample_id"]


def test_keys_of_others_are_not_learned(fields):
    found = fields({"customer_id": [str(k // 2 * 11) for k in range(N)], "x": NUMBERS})
    assert "another table" in found["customer_id"]


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (some(""), "no record has a value"),
        (some("5"), "nothing to learn"),
        (some("same"), "nothing to learn"),
        (some("2024-01-31", "2024-02-01"), "with their zone"),
        (some("2024-01-31 10:00:00", "2024-02-01 11:00:00"), "with their zone"),
        ([*NUMBERS[:-1], "secret"], "some are not"),
        ([*[f"free text {k // 2}" for k in range(N)][:-3], "u", "v", "w"], "free text"),
        (some("long " * 40, "short"), "free text"),
    ],
)
def test_what_cannot_be_learned_is_left_out_by_name_and_tells_no_value(drafted, cells, why):
    made = drafted({"odd": cells, "x": [*NUMBERS[:-2], "1.5", "1.5"]}).value
    (left,) = made.left_out
    assert left.column == "odd"
    assert why in left.why
    text = made.files["data.sref.yaml"]
    assert f"# 'odd' is left out: {left.why}" in text
    assert "secret" not in text
    assert "2024" not in text


def test_numbers_that_are_mixed_with_text_are_told_by_place(drafted):
    made = drafted({"odd": [*NUMBERS[:-1], "n.a."], "x": some("a", "b")}).value
    assert made.left_out[0].example == f"table.csv, line {N + 1}, column 'odd': 'n.a.' is not a number"


def test_whole_numbers_are_classes_where_they_are_the_target(fields, drafted):
    columns = {"grade": some("1", "2", "3"), "x": NUMBERS}
    assert fields(columns)["grade"].dtype == "int32"
    found = fields(columns, target="grade")["grade"]
    assert (found.dtype, found.enum) == ("categorical", (1, 2, 3))
    spec = drafted(columns, target="grade").value.files["spec.yaml"]
    assert "target: grade" in spec
    assert "TSTR, TRTR]" in spec


@pytest.mark.parametrize(
    ("columns", "more", "code", "says"),
    [
        ({"x": NUMBERS[:5]}, {}, "schema.bad-value", "5 records"),
        ({"x": NUMBERS[:1]}, {}, "schema.bad-value", "one record"),
        ({"x": []}, {}, "schema.bad-value", "no records"),
        ({"x": some("5")}, {}, "schema.bad-value", "no column to learn"),
        ({"a;b": some("1;2")}, {}, "schema.bad-value", "one column"),
        ({"x": NUMBERS, "y": NUMBERS}, {"target": "z"}, "schema.not-found", "--target"),
        ({"x": NUMBERS}, {"target": "x"}, "schema.bad-value", "target"),
        ({"x": some("1", "2"), "y": NUMBERS}, {"key": "x"}, "schema.bad-value", "the same value"),
        ({"x": some("1", ""), "y": NUMBERS}, {"key": "x"}, "schema.bad-value", "30 records have none"),
        ({"x": ["", *map(str, range(1, N))], "y": NUMBERS}, {"key": "x"}, "schema.bad-value", "1 record has none"),
        ({"y": NUMBERS}, {"key": "y"}, "schema.bad-value", "whole number"),
        ({f"c{k}": NUMBERS for k in range(1001)}, {}, "syntax.too-large", "1,001 columns"),
    ],
)
def test_what_no_draft_can_be_made_from_is_a_finding(drafted, columns, more, code, says):
    found = drafted(columns, **more)
    assert found.value is None
    (fault,) = found.diagnostics
    assert fault.code == code
    assert says in fault.message
    assert fault.help


def test_more_members_than_a_document_holds_are_refused(drafted):
    cells = [f"member {k % 120}" for k in range(240)]
    found = drafted({f"c{k}": cells for k in range(420)})
    assert found.value is None
    assert found.diagnostics[0].code == "syntax.too-large"
    assert "50,400 members" in found.diagnostics[0].message


def test_pictures_are_refused_with_the_field_that_they_would_be(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("pictures.npz", images=np.zeros((30, 8, 6, 3), np.uint8), y=np.arange(30))
    found = draft(Asked(name="mine", table="pictures.npz", source="pictures.npz"))
    assert found.value is None
    assert "shape: [3, 8, 6]" in found.diagnostics[0].help
    assert "moveaxis" in found.diagnostics[0].help


def lay_out(suffix):
    """One table in a file of each kind: a key, numbers with gaps, choices with gaps, truth values, instants."""
    ids = list(range(1000, 1000 + N))
    numbers = [None if k % 7 == 0 else k / 8 for k in range(N)]
    kinds = [None if k % 9 == 0 else "ab"[k % 2] for k in range(N)]
    flags = [k % 3 == 0 for k in range(N)]
    times = [dt.datetime(2026, 1, 1 + k % 28, tzinfo=dt.UTC) for k in range(N)]
    if suffix == "jsonl":
        rows = zip(ids, numbers, kinds, flags, (each.isoformat() for each in times), strict=True)
        lines = (json.dumps(dict(zip(("id", "x", "kind", "flag", "when"), row, strict=True))) for row in rows)
        Path("table.jsonl").write_text("\n".join(lines), encoding="utf-8")
    elif suffix == "npz":
        arrays = {
            "id": np.array(ids),
            "x": np.array(numbers, float),
            "kind": np.array(["" if each is None else each for each in kinds]),
            "flag": np.array(flags),
            "when": np.array([each.replace(tzinfo=None) for each in times], "datetime64[ns]"),
        }
        np.savez("table.npz", **arrays)
    else:
        pa = pytest.importorskip("pyarrow")
        from pyarrow import feather, parquet

        table = pa.table({"id": ids, "x": numbers, "kind": kinds, "flag": flags, "when": times})
        write = parquet.write_table if suffix == "parquet" else feather.write_feather
        write(table, f"table.{suffix}")


def test_one_table_in_every_kind_of_file_is_one_draft(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = {}
    for suffix in ("jsonl", "npz", "parquet", "arrow"):
        lay_out(suffix)
        made = draft(Asked(name="mine", table=f"table.{suffix}", source="table")).value
        assert not made.left_out
        texts[suffix] = made.files["data.sref.yaml"].replace(f"table.{suffix}", "table")
    assert len(set(texts.values())) == 1, texts


@pytest.mark.parametrize("kind", ["timestamp", "date"])
def test_what_parquet_stores_without_a_zone_is_read_as_utc(tmp_path, monkeypatch, kind):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    monkeypatch.chdir(tmp_path)
    days = [dt.date(2026, 1, 1 + k % 28) for k in range(N)]
    stored = pa.array(days, pa.date32())
    if kind == "timestamp":
        stored = stored.cast(pa.timestamp("us"))
    parquet.write_table(pa.table({"x": [k / 8 for k in range(N)], "when": stored}), "table.parquet")
    made = draft(Asked(name="mine", table="table.parquet", source="table.parquet")).value
    assert not made.left_out
    Path("table.csv").write_text(
        "\n".join(["x,when", *(f"{k / 8},{day}T00:00:00Z" for k, day in enumerate(days))]), encoding="utf-8"
    )
    text = draft(Asked(name="mine", table="table.csv", source="table.parquet")).value
    read = text.files["data.sref.yaml"].replace("table.csv", "table.parquet")
    assert made.files["data.sref.yaml"] == read
    assert "dtype: timestamp" in read


def test_a_draft_does_not_depend_on_how_records_come(drafted, monkeypatch):
    columns = {
        "x": [*NUMBERS[:-1], ""],
        "kind": [*some("1", "2")[:-2], "b", "c"],
        "id": [f"{k}" for k in range(N)],
        "never a date": ["never", *(f"2026-01-{1 + k // 4:02}" for k in range(N - 1))],
        "late": [*NUMBERS[:-1], "n.a."],
        "twice": [*(str(7 * k) for k in range(N - 1)), "0"],
        "spelled": [*some("1.0", "+2", "3")[:-3], "a", "b", "a"],
        "spelled once": [*(f"{k}.0" for k in range(N - 2)), "a", "1.0"],
    }
    whole = drafted(columns).value
    monkeypatch.setattr("synthspec.draft.looking.ROWS", 7)
    parts = drafted(columns).value
    assert parts.files == whole.files
    assert [each.why for each in parts.left_out] == [each.why for each in whole.left_out]


def test_one_number_in_two_spellings_is_no_key(fields):
    cells = ["1", "1.0", *(str(k * k) for k in range(2, N))]
    assert fields({"id": cells, "x": NUMBERS})["rid"].role == "key"


def test_texts_that_no_document_holds_are_left_out(fields):
    assert "invisible" in fields({"odd": some("a\u200b", "b"), "x": NUMBERS})["odd"]


def test_a_header_cannot_excuse_a_finding(drafted, tmp_path):
    header = 'x # synthspec: ignore[sref.range-missing] reason="r" expires=2099-01-01'
    made = drafted({header: some("5"), "y": [*NUMBERS[:-1], "1"], "z": some("a", "b")}).value
    assert len(bound(made, tmp_path)) == 3
    assert "synthspec:" not in made.files["data.sref.yaml"]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (some("2026-01-31", "2026-02-01"), "2026-01-31T00:00:00Z for 2026-01-31"),
        (some("2026-01-31T14:00", "2026-02-01 15:00:01"), "2026-01-31T14:00+01:00"),
        (some("2026-01-31", "2026-02-01T15:00Z"), "2026-01-31T14:00+01:00"),
        (some("31.01.2026 14:00", "01.02.2026 14:00"), "which the month"),
        (some("2026-01-31", "01.02.2026"), "which the month"),
    ],
)
def test_dates_are_left_out_with_the_form_that_makes_them_instants(fields, cells, says):
    assert says in fields({"when": cells, "x": NUMBERS})["when"]


def test_instants_to_the_minute_are_taken(fields):
    cells = some("2026-01-31T14:00Z", "2026-01-31 14:05+01:00", "2026-02-01T00:00:01Z")
    assert fields({"when": cells, "x": NUMBERS})["when"].dtype == "timestamp"


CELLS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False).map(repr),
    st.sampled_from(
        ["", "NA", "true", "False", "0", "1", "1.0", "+1", "01", "?", "2026-01-31T23:59:59Z", "2026-01-31"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5),
)
COLUMN = st.lists(CELLS, min_size=1, max_size=4).flatmap(
    lambda choices: st.lists(st.sampled_from(choices), min_size=24, max_size=24)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([["0"] * 23 + ["1.7976931348623157e+308"]])
@example([["0"] * 22 + ["", "true"]])
@example([["8.98846567431158e+307"] * 24])
@given(st.lists(COLUMN, min_size=1, max_size=4))
def test_a_draft_takes_every_record_that_it_was_made_from(drafted, tmp_path, columns):
    made = drafted({f"column {number}": cells for number, cells in enumerate(columns)} | {"x": NUMBERS[:24]}).value
    found = bound(made, tmp_path)
    dropped = any(each.drops for each in made.fields)
    assert set(found) == {each.heading.name for each in (made.key, *made.fields)}
    assert all(len(column) == 24 or dropped for column in found.values())
    assert all(isinstance(each, Proposal) for each in made.fields)
