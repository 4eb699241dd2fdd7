"""Sources become checked columns; what does not fit is named by place."""

from __future__ import annotations

import contextlib
import io
import os
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.backend.artifacts import DATA, read_report
from synthspec.backend.dataset import read_dataset
from synthspec.backend.protocol import Context, DataError
from synthspec.execute import CORE
from synthspec.execute.core.bind import bind
from synthspec.execute.core.instants import parse_instant
from synthspec.execute.core.source import carried_file
from synthspec.ir.ops import Bind
from synthspec.ir.schema import Field, Schema

EXAMPLES = Path(__file__).parents[3] / "examples"


class Silent:
    def start(self, label, total, unit):
        """Say nothing."""

    def advance(self, count=1, note=""):
        """Say nothing."""


def field(name, dtype="float64", role="content", **more):
    return Field(name=name, role=role, dtype=dtype, **more)


def table(*fields, **more):
    return Schema(modality="tabular", fields=fields, **more)


def bound(schema, source, root, pinned=""):
    out = root / "out"
    out.mkdir(exist_ok=True)
    context = Context(out=out, root=root, workers=1, progress=Silent())
    bind(Bind(source=source, schema=schema, sha256=pinned), {}, context)
    return read_dataset(out / DATA)


@pytest.fixture
def csv(tmp_path):
    def read(schema, text, pinned=""):
        (tmp_path / "x.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        return bound(schema, "x.csv", tmp_path, pinned)

    return read


def refused(code, *words):
    """The context of a DataError with `code` whose message has all `words`."""
    pattern = "".join(f"(?=[\\s\\S]*{word})" for word in words)
    return _Refused(code, pattern)


class _Refused:
    def __init__(self, code, pattern):
        self.code, self.raises = code, pytest.raises(DataError, match=pattern)

    def __enter__(self):
        self.caught = self.raises.__enter__()

    def __exit__(self, *error):
        result = self.raises.__exit__(*error)
        assert self.caught.value.code == self.code
        assert self.caught.value.help
        return result


# -- the examples -----------------------------------------------------------------------------------------------------

DIGITS = Schema(
    modality="image",
    fields=(
        field("rid", "int64", "key"),
        field("pixels", "float32", shape=(1, 8, 8), range=(0, 16), unit="1"),
        field("digit", "categorical", "condition", enum=tuple(range(10))),
    ),
    pk=("rid",),
    aliases=(("images", "pixels"), ("target", "digit")),
)


def test_digits(tmp_path):
    from sklearn.datasets import load_digits

    data = bound(DIGITS, "sklearn://digits", tmp_path)
    images, target = load_digits(return_X_y=True)
    assert data["pixels"].dtype == np.float32
    assert np.array_equal(data["pixels"], images.reshape(-1, 1, 8, 8))
    assert np.array_equal(data["digit"], target)
    assert data["digit"].dtype == np.int64
    assert np.array_equal(data["rid"], np.arange(1797))
    assert read_report(tmp_path / "out" / "schema.json", Schema) == DIGITS


def test_the_same_source_gives_the_same_bytes(tmp_path):
    digests = set()
    for _ in range(2):
        bound(DIGITS, "sklearn://digits", tmp_path)
        digests.add(sha256((tmp_path / "out" / DATA).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_names_of_the_source_are_mapped(tmp_path):
    from sklearn.datasets import load_breast_cancer

    schema = table(
        field("mean_radius", "float32", unit="mm", range=(0, 60)),
        field("diagnosis", "categorical", "condition", enum=(0, 1)),
        aliases=(("mean radius", "mean_radius"), ("target", "diagnosis")),
    )
    data = bound(schema, "sklearn://breast_cancer", tmp_path)
    values, target = load_breast_cancer(return_X_y=True)
    assert np.array_equal(data["mean_radius"], values[:, 0].astype(np.float32))
    assert np.array_equal(data["diagnosis"], target)


FIBER = table(
    field("rid", "int64", "key"),
    field("tau_mono", "float64", "time", unit="s"),
    field("ts", "timestamp", "time"),
    field("temp", "float32", "condition", unit="degC", range=(-40, 85)),
    field("power_in", "float32", unit="mW", range=(0.01, 20)),
    field("power_out", "float32", unit="uW", range=(0.01, 20000)),
    field("loss", "float32", "derived", unit="dB", expr="10 dB * log10(power_in / power_out)"),
    pk=("rid",),
)


def test_fiber_link():
    import tempfile

    with tempfile.TemporaryDirectory() as out:
        context = Context(out=Path(out), root=EXAMPLES / "fiber-link-flow", workers=1, progress=Silent())
        bind(Bind(source="fiber_link.csv", schema=FIBER), {}, context)
        data = read_dataset(Path(out) / DATA)
    assert len(data) == 4000
    assert data["ts"][0] == 1767225600 * 10**9 + 159523327
    assert data["tau_mono"][1] == 4.202487207
    expected = 10 * np.log10(4.7872e-3 / 677.273e-6)
    assert data["loss"][0] == pytest.approx(expected, rel=1e-6)
    assert data["loss"].dtype == np.float32


# -- csv: what is read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "cells", "stored"),
    [
        ("float64", "1.5|-.5e-3|+2|3.", [1.5, -0.0005, 2, 3]),
        ("float32", "0.1", [np.float32(0.1)]),
        ("int64", "9007199254740993|-1|7.0", [9007199254740993, -1, 7]),
        ("uint8", "0|255", [0, 255]),
        ("bool", "true|0|False|1", [1, 0, 0, 1]),
        ("timestamp", "1970-01-01T00:00:00.000000001Z|1970-01-01 01:00:00+01:00", [1, 0]),
    ],
)
def test_cells_become_values(csv, dtype, cells, stored):
    data = csv(table(field("x", dtype)), "x\n" + "\n".join(cells.split("|")))
    assert data["x"].tolist() == stored


def test_categories_become_places_in_the_enum(csv):
    schema = table(field("x", "categorical", enum=("NA", "b c", 3, True), nullable=True))
    assert csv(schema, 'x,y\nNA,0\n"b c",0\n 3 ,0\n3.0,0\nTRUE,0\n,0\nnan,0\n')["x"].tolist() == [0, 1, 2, 2, 3, -1, -1]


def test_gaps_in_nullable_floats_are_nan(csv):
    data = csv(table(field("x", "float32", nullable=True, range=(0, 2)), field("y")), "x,y\n,1\nNA,1\n1,1\n")
    assert np.array_equal(data["x"], np.float32([np.nan, np.nan, 1]), equal_nan=True)


def test_text_keys_are_padded_bytes(csv):
    data = csv(table(field("k", "string", "key"), field("x"), pk=("k",)), "k,x\nä,1\nbcd,2\n")
    assert data["k"].shape == (2, 3)
    assert bytes(data["k"][0]) == "ä".encode() + b"\0"


def test_a_mark_at_the_start_blank_lines_quotes_and_other_columns_are_fine(csv):
    text = '\ufeffid,"x, really",note\r\n1,"1.0","line\nbreak"\r\n\r\n2,2.0,\r\n'
    schema = table(field("id", "int64"), field("x"), aliases=(("x, really", "x"),))
    assert csv(schema, text)["x"].tolist() == [1, 2]


def test_a_key_that_the_source_lacks_is_numbered(csv):
    schema = table(field("rid", "int32", "key"), field("x"), pk=("rid",))
    data = csv(schema, "x\n5\n6\n")
    assert data["rid"].tolist() == [0, 1]
    assert data["rid"].dtype == np.int32


def test_derived_fields_are_computed_whatever_the_source_says(csv):
    schema = table(field("a", unit="m"), field("b", "float64", "derived", unit="cm", expr="a + 1 m"))
    assert csv(schema, "a,b\n2,77\n")["b"].tolist() == [300]


@given(st.datetimes(datetime(1700, 1, 1), datetime(2250, 1, 1)), st.integers(-14 * 60, 14 * 60), st.integers(0, 999))  # noqa: DTZ001
def test_instants_are_exact(moment, minutes, nanoseconds):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    offset = aware.strftime("%z")
    text = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06}{nanoseconds:03}{offset[:3]}:{offset[3:5]}"
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    expected = ((since.days * 86400 + since.seconds) * 10**6 + since.microseconds) * 1000 + nanoseconds
    assert parse_instant(text) == expected


def test_seconds_that_are_left_out_are_none_and_a_day_is_called_one():
    assert parse_instant("2026-01-31T14:05+01:00") == parse_instant("2026-01-31T13:05:00Z")
    assert "zone" in str(parse_instant("2026-01-31T14:05"))
    assert "is a day" in str(parse_instant("2026-01-31"))
    assert "ISO 8601" in str(parse_instant("2026-01-31T14.5Z"))


# -- csv: what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "cell", "words"),
    [
        ({}, "abc", ["'abc' is not a number"]),
        ({}, "1_000", ["is not a number"]),
        ({}, "0x10", ["is not a number"]),
        ({}, "inf", ["is not a number"]),
        ({}, "1e400", ["is not a finite number"]),
        ({}, "", ["is no value", "not nullable"]),
        ({}, "nan", ["is no value"]),
        ({"range": (0, 2), "unit": "mm"}, "2.0001", ["'2.0001' is outside the range \\[0, 2\\] mm of 'x'"]),
        ({"dtype": "int8"}, "128", ["does not fit into int8"]),
        ({"dtype": "int64"}, "9223372036854775808", ["does not fit into 64 bits"]),
        ({"dtype": "int64"}, "1.5", ["not an integer"]),
        ({"dtype": "int64", "nullable": True}, "NA", ["integer column cannot hold a gap"]),
        ({"dtype": "float16"}, "70000", ["does not fit into float16"]),
        ({"dtype": "float32"}, "1e39", ["does not fit into float32"]),
        ({"dtype": "int64", "enum": (1, 2)}, "3", ["not in the enum"]),
        ({"dtype": "bool"}, "yes", ["neither true nor false"]),
        ({"dtype": "categorical", "enum": ("a", "b")}, "c", ["'c' is not in the enum of 'x' \\(a, b\\)"]),
        ({"dtype": "categorical", "enum": (0, 1)}, "2", ["not in the enum"]),
        ({"dtype": "categorical", "enum": ("a",)}, "", ["not nullable"]),
        ({"dtype": "timestamp"}, "2026-01-01T00:00:00", ["has no time zone"]),
        ({"dtype": "timestamp"}, "2026-02-30T00:00:00Z", ["is no instant"]),
        ({"dtype": "timestamp"}, "1767225600", ["not an ISO 8601 instant"]),
        ({"dtype": "timestamp"}, "2400-01-01T00:00:00Z", ["outside the years"]),
        ({"dtype": "string"}, "a\0b", ["NUL"]),
    ],
)
def test_a_cell_that_does_not_fit_is_named(csv, spec, cell, words):
    spec = {"name": "x", "dtype": "float64", **spec}
    good = {"float": "1", "int64": "1", "int8": "1", "bool": "1", "timestamp": "2026-01-01T00:00:00Z", "string": "s"}
    fine = str(spec["enum"][0]) if "enum" in spec else next(v for k, v in good.items() if spec["dtype"].startswith(k))
    schema = table(field(**spec), field("y"))
    with refused("schema.bad-value", "x.csv, line 3, column 'x'", *words):
        csv(schema, f"x,y\n{fine},1\n{cell},1\n{fine},1\n")


def test_further_faults_are_counted_and_lines_are_those_of_the_file(csv):
    with refused(
        "schema.bad-value", "line 5, column 'x', 'bad' is not a number \\(and 2 more\\)".replace(", 'bad'", ": 'bad'")
    ):
        csv(
            table(field("x"), field("y", "string")),
            'x,y\n1,"two\nlines"\n\nbad,\nbad,b\n2,c\nbad,d\n'.replace("bad,\n", "bad,a\n"),
        )


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("x,x\n1,2\n", "schema.duplicate-name", ["two columns are called 'x'"]),
        ("x,y\n1\n", "schema.bad-value", ["line 2: 1 cells, but the header has 2"]),
        ("x,y\n1,2,3\n", "schema.bad-value", ["line 2: 3 cells"]),
        ("x\n", "schema.bad-value", ["no records"]),
        ("", "schema.bad-value", ["is empty"]),
        ("y\n1\n", "schema.not-found", ["no column for the field 'x' \\(looked for 'x' or 'ix', found 'y'\\)"]),
        ("x,ix\n1,2\n", "schema.duplicate-name", ["two columns for 'x'"]),
        ("x,\ufeffy\n1,2\n", "schema.bad-value", ["column 2", "invisible"]),
        ("x,\n1,2\n", "schema.bad-value", ["column 2", "empty"]),
        (b"x,y\n1,\xe4\n", "syntax.encoding", ["line 2: byte 6 is not UTF-8"]),
        ("x,y\n1,2\n".encode("utf-16"), "syntax.encoding", ["not UTF-8"]),
        ("x,y\n1," + "9" * 200_000 + "\n", "syntax.too-large", ["line 2"]),
        (",".join(f"c{n}" for n in range(20_000)), "syntax.too-large", ["20000 columns"]),
        ('x,y\n1,"2\n', "schema.bad-value", ["line 2"]),
    ],
)
def test_a_table_that_is_broken_is_refused(csv, text, code, words):
    with refused(code, *words):
        csv(table(field("x"), aliases=(("ix", "x"),)), text)


def test_keys_are_unique(csv):
    schema = table(field("a", "int64", "key"), field("b", "string", "key"), pk=("a", "b"))
    assert len(csv(schema, "a,b\n1,x\n1,y\n2,x\n")) == 3
    with refused("schema.bad-value", "line 4, column 'a, b': the key is the one of line 2"):
        csv(schema, "a,b\n1,x\n1,y\n1,x\n")


def test_a_derived_value_out_of_its_range_is_named(csv):
    schema = table(field("a", unit="m"), field("b", "float64", "derived", unit="1", expr="log10(a / (1 m))"))
    with refused("schema.bad-value", "line 3, column 'b'", "gives -inf"):
        csv(schema, "a\n1\n0\n")


def test_a_field_with_axes_has_no_column_of_cells(csv):
    with refused("schema.bad-value", "a record has one value, but 'x' is 2x2"):
        csv(table(field("x", shape=(2, 2))), "x\n1\n")


def test_a_pinned_digest_is_asked_for(csv):
    text = "x\n1\n"
    assert len(csv(table(field("x")), text, sha256(text.encode()).hexdigest())) == 1
    with refused("data.digest", "was expected"):
        csv(table(field("x")), text, "0" * 64)


def test_a_pinned_data_set_is_asked_for(tmp_path):
    good = sha256(carried_file("sklearn://iris").read_bytes()).hexdigest()
    schema = table(field("x"), aliases=(("petal width (cm)", "x"),))
    assert len(bound(schema, "sklearn://iris", tmp_path, good)) == 150
    with refused("data.digest", "was expected"):
        bound(schema, "sklearn://iris", tmp_path, "0" * 64)


# -- files ------------------------------------------------------------------------------------------------------------


def test_a_file_that_is_none_is_refused_without_hanging(tmp_path):
    schema = table(field("x"))
    with refused("schema.not-found", "x.csv does not exist"):
        bound(schema, "x.csv", tmp_path)
    os.mkfifo(tmp_path / "x.csv")
    with refused("schema.not-found", "not a regular file"):
        bound(schema, "x.csv", tmp_path)


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("a.json", "json \\(one object a line, in a .jsonl file, is\\) is not read"),
        ("a.wav", "a single wav \\(a folder of them is\\) is not read"),
        ("a.xlsx", "what ends in .xlsx is not read"),
        ("sklearn://california_housing", "would need a download"),
    ],
)
def test_what_is_not_read_is_said_before_anything_runs_and_then_again(tmp_path, source, word):
    (reason,) = CORE.supports(Bind(source=source, schema=DIGITS))
    assert re.search(word, reason)
    with refused("engine.backend-unsupported", word):
        bound(DIGITS, source, tmp_path)


@pytest.mark.parametrize(
    "source", ["a.csv", "a.CSV", "sub/b.npz", "c.npy", "d.jsonl", "e.parquet", "f.arrow", "folder", "sklearn://wine"]
)
def test_what_is_read_is_supported(source):
    assert CORE.supports(Bind(source=source, schema=DIGITS)) == ()


# -- npz and npy ------------------------------------------------------------------------------------------------------


def npy_bytes(array, **more):
    stream = io.BytesIO()
    np.save(stream, array, **more)
    return stream.getvalue()


def test_arrays(tmp_path):
    rng = np.random.default_rng(0)
    pixels = np.asfortranarray(rng.random((3, 8, 8)))
    stamps = np.array(["2026-01-01T00:00:00.5"] * 3, "datetime64[ms]")
    np.savez_compressed(tmp_path / "x.npz", images=pixels, s=np.array(["a", "b", "a"]), t=stamps, other=np.zeros(9))
    schema = Schema(
        modality="image",
        fields=(
            field("pixels", "float32", shape=(1, 8, 8)),
            field("s", "categorical", "condition", enum=("b", "a")),
            field("t", "timestamp", "time"),
        ),
        aliases=(("images", "pixels"),),
    )
    data = bound(schema, "x.npz", tmp_path)
    assert np.array_equal(data["pixels"], pixels.reshape(3, 1, 8, 8).astype(np.float32))
    assert data["s"].tolist() == [1, 0, 1]
    assert data["t"].tolist() == [1767225600_500000000] * 3


def test_one_array(tmp_path):
    array = np.arange(12.0).astype(">f8").reshape(3, 4)
    (tmp_path / "x.npy").write_bytes(npy_bytes(array))
    assert np.array_equal(bound(table(field("x", shape=(4,))), "x.npy", tmp_path)["x"], array)
    with refused("schema.bad-value", "2 content fields"):
        bound(table(field("x", shape=(4,)), field("y")), "x.npy", tmp_path)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.array([1.0, np.nan]), ["row 1, column 'x': nan is no value"]),
        (np.array([1.0, np.inf]), ["row 1", "inf is not a finite number"]),
        (np.array([1.0, -3.0]), ["row 1", "outside the range"]),
        (np.array([1.0, 2.0 + 1j]), ["complex128"]),
        (np.array([True, False]), ["True is not a number"]),
        (np.zeros((2, 3)), ["a record has 3, but 'x' is one value"]),
        (np.array(5.0), ["a single value"]),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path, array, words):
    (tmp_path / "x.npy").write_bytes(npy_bytes(array))
    with refused("schema.bad-value", *words):
        bound(table(field("x", range=(0, 2))), "x.npy", tmp_path)


def test_a_bad_entry_inside_a_record_is_shown(tmp_path):
    array = np.zeros((4, 2, 2))
    array[2, 1, 0] = 7
    (tmp_path / "x.npy").write_bytes(npy_bytes(array))
    with refused("schema.bad-value", "row 2, column 'x': 7.0 is outside"):
        bound(table(field("x", shape=(2, 2), range=(0, 2))), "x.npy", tmp_path)


HUGE = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,), }"


def header(text):
    body = text + b" " * (63 - (len(text) + 10) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (npy_bytes(np.array([{"a": 1}], dtype=object), allow_pickle=True), ["Python objects"]),
        (header(HUGE) + b"\0" * 64, ["not what follows"]),
        (header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }"), ["not what follows"]),
        (header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (-2, -2), }") + b"\0" * 32, ["not what follows"]),
        (npy_bytes(np.zeros(4))[:-1], ["not what follows"]),
        (npy_bytes(np.zeros(4)) + b"x", ["not what follows"]),
        (b"\x93NUMPY\x01\x00", ["no header"]),
        (b"PK\x03\x04 not an array", ["no header"]),
        (header(b"__import__('os').system('false')"), ["no header"]),
        (b"", ["no header"]),
    ],
)
def test_hostile_arrays_are_refused(tmp_path, data, words):
    (tmp_path / "x.npy").write_bytes(data)
    with refused("schema.bad-value", *words):
        bound(table(field("x")), "x.npy", tmp_path)
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", data)
    with refused("schema.bad-value", *words):
        bound(table(field("x")), "x.npz", tmp_path)


def test_hostile_archives_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", npy_bytes(np.zeros(1)))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x.npy", npy_bytes(np.ones(1)))
    with refused("schema.duplicate-name", "two arrays"):
        bound(table(field("x")), "x.npz", tmp_path)
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 no archive")
    with refused("schema.bad-value", "damaged"):
        bound(table(field("x")), "x.npz", tmp_path)
    np.savez(tmp_path / "x.npz", x=np.zeros(2), y=np.zeros(3))
    with refused("schema.bad-value", "unequal length"):
        bound(table(field("x"), field("y")), "x.npz", tmp_path)


def test_a_flipped_byte_of_an_archive_is_refused_or_harmless(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", x=np.arange(40.0))
    data = (tmp_path / "x.npz").read_bytes()
    for place in range(0, len(data), 3):
        (tmp_path / "x.npz").write_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])
        with contextlib.suppress(DataError):
            assert np.array_equal(bound(table(field("x")), "x.npz", tmp_path)["x"], np.arange(40.0))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    from synthspec.execute.core import source

    np.savez_compressed(tmp_path / "x.npz", x=np.zeros(10**6))
    real = os.sysconf
    monkeypatch.setattr(source.os, "sysconf", lambda name: 2000 if name == "SC_PHYS_PAGES" else real(name))
    with refused("syntax.too-large", "memory"):
        bound(table(field("x")), "x.npz", tmp_path)
    assert (tmp_path / "x.npz").stat().st_size < 10**4


def test_kernels_come_from_the_table():
    assert sorted(CORE.kernels()) == [
        "align", "arrive", "bind", "compare", "enforce", "export", "impute", "isolate", "mark", "measure", "refer",
        "shadow", "split", "statistics",
    ]  # fmt: skip
    assert CORE.missing() == ""
    assert CORE.environment()["numpy"] == np.__version__
    assert replace(CORE, version="2").version == "2"
