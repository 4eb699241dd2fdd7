"""One table in every kind of file is one data set, whatever the chunks; what is hostile or malformed is named by place."""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
import os
import tempfile
import wave
import zlib
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pyarrow import feather, ipc

from synthspec.backend.artifacts import DATA, read_report
from synthspec.backend.dataset import read_dataset
from synthspec.backend.protocol import Context, DataError
from synthspec.backend.schema_report import SCHEMA_REPORT, SchemaReport
from synthspec.execute.core import reading
from synthspec.execute.core.bind import bind
from synthspec.execute.core.loose import read_records
from synthspec.execute.core.source import read_digest
from synthspec.ir.ops import Bind
from synthspec.ir.schema import Field, Schema


def field(name, dtype="float64", role="content", **more):
    return Field(name=name, role=role, dtype=dtype, **more)


def table(*fields, **more):
    return Schema(modality="tabular", fields=fields, **more)


def bound(schema, source, root, pinned=""):
    with tempfile.TemporaryDirectory() as out:
        context = Context(out=Path(out), root=root, workers=1, progress=None)
        bind(Bind(source=source, schema=schema, sha256=pinned), {}, context)
        return (Path(out) / DATA).read_bytes(), read_report(Path(out) / SCHEMA_REPORT, SchemaReport)


def columns(schema, source, root, pinned=""):
    data, _ = bound(schema, source, root, pinned)
    path = root / "bound.safetensors"
    path.write_bytes(data)
    return read_dataset(path)


def refused(code, *words):
    return pytest.raises(
        DataError,
        match="".join(f"(?=[\\s\\S]*{word})" for word in words),
        check=lambda e: bool(e.code == code and e.help),
    )


# -- the law ------------------------------------------------------------------------------------------------------------

MIXED = table(
    field("rid", "int64", "key"),
    field("f4", "float32", nullable=True, unit="m"),
    field("f8", "float64"),
    field("count", "int16"),
    field("kind", "categorical", "condition", enum=("x,y", 'q"', "a\nb", "3"), nullable=True),
    field("level", "categorical", "condition", enum=(1, 2, 3)),
    field("note", "string", nullable=True),
    field("when", "timestamp", "time"),
    field("good", "bool"),
    field("double", "float64", "derived", expr="2 * f8", unit="1"),
    pk=("rid",),
    aliases=(("F 8", "f8"),),
)
FINITE = st.floats(allow_nan=False, allow_infinity=False, max_value=1e300, min_value=-1e300)
ROW = st.fixed_dictionaries(
    {
        "f4": st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False),
        "F 8": FINITE,
        "count": st.integers(-(2**15), 2**15 - 1),
        "kind": st.none() | st.sampled_from(["x,y", 'q"', "a\nb", "3"]),
        "level": st.integers(1, 3),
        "note": st.none()
        | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=9),
        "when": st.integers(0, 2**60),
        "good": st.booleans(),
        "more": st.integers(0, 9),
    }
)
ORDER = ("f4", "F 8", "count", "kind", "level", "note", "when", "good", "more")
ROWS = st.lists(ROW, min_size=1, max_size=12).map(
    lambda rows: [{"rid": n, **{key: row[key] for key in ORDER}} for n, row in enumerate(rows)]
)


def instant(nanoseconds):
    return f"{np.datetime64(nanoseconds, 'ns')}Z"


def text(value):
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def write_csv(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rows[0])
        writer.writerows([text(instant(v) if k == "when" else v) for k, v in row.items()] for row in rows)


def write_jsonl(path, rows):
    told = [
        {k: instant(v) if k == "when" else v for k, v in row.items() if v is not None or not row["rid"]} for row in rows
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in told), encoding="utf-8")


def arrow_table(rows):
    kinds: dict[str, pa.DataType] = {
        "rid": pa.int32(), "f4": pa.float32(), "F 8": pa.float64(), "count": pa.int64(),
        "kind": pa.dictionary(pa.int8(), pa.string()),
        "level": pa.uint8(), "note": pa.large_string(), "when": pa.timestamp("ns", "UTC"), "good": pa.bool_(), "more": pa.int8(),  # noqa: E501
    }  # fmt: skip
    return pa.table({k: pa.array([row[k] for row in rows], kind) for k, kind in kinds.items()})


def write_npz(path, rows):
    gap = {"f4": np.nan, "kind": "", "note": ""}
    found = {k: np.array([gap[k] if row[k] is None else row[k] for row in rows]) for k in rows[0]}
    found["when"] = found["when"].astype("datetime64[ns]")
    for name in ("kind", "note"):
        found[name] = found[name].astype(np.str_)
    np.savez(path, **found)


WRITERS = {
    "x.csv": write_csv,
    "x.jsonl": write_jsonl,
    "x.parquet": lambda path, rows: pq.write_table(arrow_table(rows), path, row_group_size=3),
    "x.feather": lambda path, rows: feather.write_feather(arrow_table(rows), str(path)),
    "x.npz": write_npz,
}


def write_arrow(path, rows, new=ipc.new_file):
    with path.open("wb") as file, new(file, arrow_table(rows).schema) as writer:
        writer.write_table(arrow_table(rows), max_chunksize=5)


WRITERS["x.arrow"] = write_arrow


@given(ROWS, st.integers(1, 5))
@settings(max_examples=10, deadline=None)
def test_one_table_is_one_data_set_in_every_kind_of_file_and_in_chunks_of_any_size(rows, size):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        root = Path(folder)
        for name, write in WRITERS.items():
            write(root / name, rows)
        found = {name: bound(MIXED, name, root)[0] for name in WRITERS}
        assert len(set(found.values())) == 1, {name: sha256(data).hexdigest()[:8] for name, data in found.items()}
        patch.setattr(reading.tables, "__defaults__", ((), size))
        for name in WRITERS:
            assert bound(MIXED, name, root)[0] == found[name], (name, size)


def test_a_stream_of_arrow_is_read_as_well(tmp_path):
    rows = [
        {
            "rid": 0,
            "f4": None,
            "F 8": 1.0,
            "count": 1,
            "kind": None,
            "level": 1,
            "note": None,
            "when": 5,
            "good": True,
            "more": 1,
        }
    ]
    write_arrow(tmp_path / "x.arrow", rows, ipc.new_stream)
    write_csv(tmp_path / "x.csv", rows)
    assert bound(MIXED, "x.arrow", tmp_path)[0] == bound(MIXED, "x.csv", tmp_path)[0]


def test_lists_become_arrays(tmp_path):
    schema = table(field("m", "float32", shape=(2, 3)))
    values = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    np.savez(tmp_path / "x.npz", m=values)
    (tmp_path / "x.jsonl").write_text("".join(json.dumps({"m": v.tolist()}) + "\n" for v in values))
    pq.write_table(
        pa.table({"m": pa.array(values.tolist(), pa.list_(pa.list_(pa.float32(), 3)))}), tmp_path / "x.parquet"
    )
    assert len({bound(schema, f"x.{kind}", tmp_path)[0] for kind in ("npz", "jsonl", "parquet")}) == 1


def test_the_report_says_what_was_found(tmp_path):
    schema = table(
        field("rid", "int64", "key"),
        field("x", unit="m", nullable=True),
        field("k", "categorical", "condition", enum=("a", "b", "c")),
        field("y", "float64", "derived", expr="2 * x", unit="m", nullable=True),
        pk=("rid",),
        aliases=(("length", "x"),),
    )
    (tmp_path / "x.csv").write_text("length,k,other\n1,a\n".replace("1,a\n", "1,a,0\n,b,0\n,a,0\n"))
    _, report = bound(schema, "x.csv", tmp_path)
    assert (report.rows, report.cov_schema, report.cov_req) == (3, 2 / 3, 1 / 2)
    assert report.numbered
    assert report.unmapped == ("other",)
    assert [(f.name, f.column, f.required, f.gaps, f.unseen) for f in report.fields] == [
        ("rid", "", True, 0, ()),
        ("x", "length", False, 2, ()),
        ("k", "k", True, 0, ("c",)),
    ]


def test_a_key_that_comes_again_in_another_chunk_is_found_with_both_places(tmp_path, monkeypatch):
    monkeypatch.setattr(reading.tables, "__defaults__", ((), 2))
    (tmp_path / "x.csv").write_text("a\n1\n2\n3\n4\n2\n")
    with refused("schema.bad-value", "line 6, column 'a': the key is the one of line 3"):
        bound(
            table(field("a", "int64", "key"), field("b", "float64", "derived", expr="1"), pk=("a",)), "x.csv", tmp_path
        )


def test_only_a_chunk_is_text_at_a_time(tmp_path, monkeypatch):
    """The memory of cells does not grow with the file: nothing but the columns is kept of a chunk that is done."""
    import tracemalloc

    rows = 80_000
    (tmp_path / "x.csv").write_text("x,n\n" + "0.25,some text that is not wanted\n" * rows)
    monkeypatch.setattr(reading.tables, "__defaults__", ((), 1000))
    tracemalloc.start()
    bound(table(field("x", "float32")), "x.csv", tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < rows * 80


def test_a_wide_table_is_read_fewer_records_at_a_time(tmp_path):
    """The cells of a chunk are bounded, not its records alone: five hundred columns take no more memory than five."""
    names = [f"c{number}" for number in range(500)]
    line = ",".join(["1"] * 500) + "\n"
    (tmp_path / "x.csv").write_text(",".join(names) + "\n" + line * 3000)
    wide = table(*(field(name, "float32") for name in names))
    chunks = list(reading.tables("x.csv", tmp_path / "x.csv", "", wide))
    assert sum(chunk.rows for chunk in chunks) == 3000
    assert max(chunk.rows * len(chunk.columns) for chunk in chunks) <= reading.CELLS


# -- csv and jsonl that mean no good ------------------------------------------------------------------------------------

X = table(field("x"))
T = table(field("s", "string"))


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"x\n1\0\n", "schema.bad-value", ["line 2, column 'x'"]),
        (b"x\n=1+1\n", "schema.bad-value", ["line 2, column 'x': '=1\\+1' is not a number"]),
        (b"x\n" + b"1" * (1 << 18) + b"\n", "syntax.too-large", ["line 2"]),
        (b"x\n" + b'"' + b"1" * (1 << 25), "syntax.too-large", ["line 2"]),
        (b"x,x\n1,2\n", "schema.duplicate-name", ["two columns are called 'x'"]),
        (b"x,y\n1\n", "schema.bad-value", ["line 2: 1 cells, but the header has 2"]),
        (b"x;y\n1,5;2\n", "schema.bad-value", ["x.csv has one column, called 'x;y'"]),
        (b"x\ty\n1\t2\n", "schema.bad-value", ["x.csv has one column, called 'x\\\\ty'"]),
        (b"x\n1\n\xff\n", "syntax.encoding", ["line 3: byte 4 is not UTF-8"]),
        (b"\xff\xfex\x00\n\x00", "syntax.encoding", ["line 1: byte 0"]),
        (b'x\n"1\n', "schema.bad-value", ["line 2"]),
        (b"", "schema.bad-value", ["x.csv is empty"]),
        (b"x\n", "schema.bad-value", ["no records"]),
        (b"x" + b",x" * 10_000 + b"\n", "syntax.too-large", ["10001 columns"]),
    ],
)
def test_hostile_csv(tmp_path, data, code, words):
    (tmp_path / "x.csv").write_bytes(data)
    with refused(code, *words):
        bound(X, "x.csv", tmp_path)


def test_bytes_that_are_no_text_far_down_are_placed(tmp_path):
    good = "x\n" + "0.5\n" * 50_000
    (tmp_path / "x.csv").write_bytes(good.encode() + b"\xe2\x82\n")
    with refused("syntax.encoding", f"line 50002: byte {len(good)} is not UTF-8"):
        bound(X, "x.csv", tmp_path)


def test_a_formula_is_text(tmp_path):
    (tmp_path / "x.csv").write_text("s\n=cmd|' /C calc'!A0\n-5.2\n")
    padded = columns(T, "x.csv", tmp_path)["s"]
    assert [bytes(row).rstrip(b"\0") for row in padded] == [b"=cmd|' /C calc'!A0", b"-5.2"]


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b'{"x": 1}\n[2]\n', "schema.bad-value", ["line 2 is no object"]),
        (b'{"x": 1}\n{"x": \n', "schema.bad-value", ["line 2 is no JSON"]),
        (b'{"x": NaN}\n', "schema.bad-value", ["line 1", "NaN is no number"]),
        (b'{"x": 1, "x": 2}\n', "schema.duplicate-name", ["line 1: the key 'x' stands there twice"]),
        (b'{"x": {"y": 1}}\n', "schema.bad-value", ["line 1: 'x' holds an object"]),
        (b'{"x": 1}\n{"x": [1]}\n', "schema.bad-value", ["line 1: 'x' is not a list of 1 numbers"]),
        (b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "schema.bad-value", ["line 1 is no JSON"]),
        (b'{"x": 1e999}\n', "schema.bad-value", ["line 1, column 'x'", "finite"]),
        (b'{"x": "' + b"1" * (1 << 24) + b'"}\n', "syntax.too-large", ["line 1"]),
        (b'{"x": "\xff"}\n', "syntax.encoding", ["line 1"]),
        (b'{"y": 1}\n', "schema.not-found", ["no column for the field 'x'"]),
        (b"\n\n", "schema.bad-value", ["no records"]),
    ],
)
def test_hostile_jsonl(tmp_path, data, code, words):
    (tmp_path / "x.jsonl").write_bytes(data)
    with refused(code, *words):
        bound(X, "x.jsonl", tmp_path)


def test_large_integers_keep_their_digits_in_jsonl(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"n": 9007199254740993}\n')
    assert columns(table(field("n", "int64")), "x.jsonl", tmp_path)["n"].tolist() == [2**53 + 1]


# -- parquet and arrow that mean no good --------------------------------------------------------------------------------


def parquet_bytes(columns_):
    stream = io.BytesIO()
    pq.write_table(pa.table(columns_), stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (parquet_bytes({"x": [1.0, 2.0]})[:-9], ["damaged"]),
        (b"PAR1" + b"\0" * 100 + b"PAR1", ["damaged"]),
        (b"no arrow at all", ["damaged"]),
        (b"", ["damaged"]),
        (parquet_bytes({"x": pa.array([{"a": 1}])}), ["column 'x'", "no equal"]),
        (parquet_bytes({"x": pa.array([b"abc"])}), ["column 'x'", "no equal"]),
        (parquet_bytes({"x": pa.array([[1.0], [1.0, 2.0]])}), ["column 'x': lists of several lengths"]),
        (parquet_bytes({"x": pa.array([], pa.float64())}), ["no records"]),
        (parquet_bytes({"x": ["1", "two"]}), ["row 1, column 'x': 'two' is not a number"]),
    ],
)
def test_hostile_parquet(tmp_path, data, words):
    (tmp_path / "x.parquet").write_bytes(data)
    with refused("schema.bad-value", *words):
        bound(X, "x.parquet", tmp_path)


def test_a_flipped_byte_of_a_parquet_is_refused_or_harmless(tmp_path):
    data = parquet_bytes({"x": np.arange(40.0)})
    for place in range(0, len(data), 11):
        (tmp_path / "x.parquet").write_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])
        with contextlib.suppress(DataError):
            assert len(columns(X, "x.parquet", tmp_path)) == 40


def test_a_bomb_of_parquet_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    from synthspec.execute.core import source

    pq.write_table(pa.table({"x": np.zeros(4_000_000)}), tmp_path / "x.parquet")
    assert (tmp_path / "x.parquet").stat().st_size < 2**17
    real = os.sysconf
    monkeypatch.setattr(source.os, "sysconf", lambda name: 2000 if name == "SC_PHYS_PAGES" else real(name))
    with refused("syntax.too-large", "memory"):
        bound(X, "x.parquet", tmp_path)


def test_without_pyarrow_its_extra_is_named(tmp_path, monkeypatch):
    from synthspec.execute.core import read_arrow

    (tmp_path / "x.parquet").write_bytes(parquet_bytes({"x": [1.0]}))
    monkeypatch.setattr(read_arrow, "find_spec", lambda name: None)
    with pytest.raises(DataError) as caught:
        bound(X, "x.parquet", tmp_path)
    assert (caught.value.code, caught.value.help) == (
        "engine.backend-unsupported",
        "run: pip install 'synthspec[arrow]'",
    )


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.parquet", "x.npz"])
def test_a_pinned_digest_is_asked_for_of_every_kind(tmp_path, name):
    rows = [
        {
            "rid": 0,
            "f4": 1.0,
            "F 8": 1.0,
            "count": 1,
            "kind": "3",
            "level": 1,
            "note": "n",
            "when": 5,
            "good": True,
            "more": 1,
        }
    ]
    WRITERS[name](tmp_path / name, rows)
    assert bound(MIXED, name, tmp_path, read_digest(tmp_path / name))
    with refused("data.digest", "was expected"):
        bound(MIXED, name, tmp_path, "0" * 64)


# -- folders ------------------------------------------------------------------------------------------------------------

PICTURES = Schema(
    modality="image",
    fields=(
        field("rid", "int64", "key"),
        field("pixels", "float32", shape=(3, 4, 6), range=(0, 255)),
        field("kind", "categorical", "condition", enum=("cat", "dog")),
    ),
    pk=("rid",),
    aliases=(("label", "kind"),),
)


def pictures(root, shape=(4, 6, 3)):
    values = np.random.default_rng(0).integers(0, 256, (4, *shape), dtype=np.uint8)
    for number, value in enumerate(values):
        path = root / "images" / ("cat" if number < 2 else "dog") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(value.squeeze()).save(path)
    return values


def test_a_folder_of_pictures(tmp_path):
    values = pictures(tmp_path)
    found = columns(PICTURES, "images", tmp_path)
    assert np.array_equal(found["pixels"], values.transpose(0, 3, 1, 2))
    assert found["kind"].tolist() == [0, 0, 1, 1]
    digest = read_digest(tmp_path / "images")
    assert len(columns(PICTURES, "images", tmp_path, digest)) == 4
    (tmp_path / "images" / "cat" / "0.png").rename(tmp_path / "images" / "cat" / "9.png")
    assert read_digest(tmp_path / "images") != digest
    with refused("data.digest", "was expected"):
        bound(PICTURES, "images", tmp_path, digest)


def test_a_folder_is_read_by_measure_too(tmp_path):
    pictures(tmp_path)
    assert len(read_records(tmp_path / "images", PICTURES)) == 4


def write_wav(path, samples, width=2, rate=8000):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i4").tobytes() if width == 4 else samples.astype("<i2").tobytes())


def test_a_folder_of_sounds(tmp_path):
    samples = np.array([[0, -32768], [32767, 16384], [1, 2]])
    write_wav(tmp_path / "wavs" / "a.wav", samples)
    floats = Schema(modality="audio", fields=(field("sound", "float32", shape=(2, 3), range=(-1, 1)),))
    assert np.array_equal(columns(floats, "wavs", tmp_path)["sound"][0], samples.T.astype(np.float32) / 32768)
    whole = Schema(modality="audio", fields=(field("sound", "int16", shape=(2, 3)),))
    assert np.array_equal(columns(whole, "wavs", tmp_path)["sound"][0], samples.T)
    data = (tmp_path / "wavs" / "a.wav").read_bytes()
    (tmp_path / "wavs" / "a.wav").write_bytes(data[:-4])
    with refused("schema.bad-value", "wavs/a.wav"):
        bound(whole, "wavs", tmp_path)


def bomb_png():
    """A small PNG that says that it is enormous."""

    def chunk(kind, body):
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = (100_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@pytest.mark.parametrize(
    ("name", "data", "code", "words"),
    [
        ("z.png", b"no picture", "schema.bad-value", ["images/z.png is no picture"]),
        ("z.png", bomb_png(), "schema.bad-value", ["images/z.png"]),
        ("z.png", GIF, "schema.bad-value", ["images/z.png is no picture"]),
        ("z.txt", b"hello", "schema.bad-value", ["images/z.txt is neither a picture nor a sound"]),
        ("z.wav", b"RIFF", "schema.bad-value", ["pictures and sounds"]),
    ],
)
def test_hostile_folders(tmp_path, name, data, code, words):
    pictures(tmp_path)
    (tmp_path / "images" / name).write_bytes(data)
    with refused(code, *words):
        bound(PICTURES, "images", tmp_path)


def test_a_picture_of_another_size_or_mode_is_named(tmp_path):
    pictures(tmp_path, (4, 6, 1))
    with refused("schema.bad-value", "images/cat/0.png is of mode L, but 'pixels' is 3x4x6"):
        bound(PICTURES, "images", tmp_path)
    pictures(tmp_path, (5, 6, 3))
    with refused("schema.bad-value", "images/cat/0.png is 5x6 pixels"):
        bound(PICTURES, "images", tmp_path)


def test_links_in_a_folder_are_refused(tmp_path):
    pictures(tmp_path)
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "images" / "z.png").symlink_to(tmp_path / "secret.png")
    with refused("schema.path-escape", "images/z.png is a link"):
        bound(PICTURES, "images", tmp_path)
    with refused("schema.path-escape", "images/z.png is a link"):
        read_digest(tmp_path / "images")


def test_a_folder_that_is_none(tmp_path):
    with refused("schema.not-found", "no folder"):
        bound(PICTURES, "images", tmp_path)
    (tmp_path / "images").mkdir()
    with refused("schema.bad-value", "no files"):
        bound(PICTURES, "images", tmp_path)
    with refused(
        "schema.bad-value", "images is a folder of pictures or sounds, and the schema has 0 fields of a shape"
    ):
        bound(X, "images", tmp_path)
