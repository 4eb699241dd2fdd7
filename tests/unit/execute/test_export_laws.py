"""Exported tables read back as they were; exported arrays are plain and deterministic."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from synthspec.backend.artifacts import DATA
from synthspec.backend.dataset import Dataset, write_dataset
from synthspec.backend.protocol import Artifact, Context
from synthspec.execute.core.bind import bind_table
from synthspec.execute.core.export import export, to_csv
from synthspec.execute.core.read_csv import read_csv
from synthspec.ir.ops import Export
from synthspec.ir.schema import Field, Schema


def field(name, dtype="float64", role="content", **more):
    return Field(name=name, role=role, dtype=dtype, **more)


TABLE = Schema(
    modality="tabular",
    fields=(
        field("rid", "int64", "key"),
        field("f4", "float32", nullable=True),
        field("f8", "float64"),
        field("c", "categorical", "condition", enum=("x,y", 'q"', "a\nb", "NA", "3"), nullable=True),
        field("t", "timestamp", "time"),
        field("b", "bool"),
    ),
    pk=("rid",),
)


@given(st.data(), st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_reading_what_was_written_gives_the_same_columns(data, n):
    def column(dtype, elements):
        return data.draw(arrays.arrays(dtype, n, elements=elements))

    kept = Dataset(
        {
            "rid": np.arange(n),
            "f4": column(np.float32, st.floats(width=32, allow_infinity=False)),
            "f8": column(np.float64, st.floats(allow_nan=False, allow_infinity=False)),
            "c": column(np.int64, st.integers(-1, 4)),
            "t": column(np.int64, st.integers(-(2**62), 2**62)),
            "b": column(np.uint8, st.integers(0, 1)),
        }
    )
    names = {item.name for item in TABLE.fields}
    again = bind_table(read_csv("x.csv", to_csv(TABLE, kept).encode(), names), TABLE)
    for name, written in kept.columns.items():
        assert np.array_equal(again[name], written, equal_nan=written.dtype.kind == "f"), name
        assert again[name].dtype == written.dtype


def test_csv_is_plain():
    kept = Dataset({"f4": np.float32([0.1, np.nan]), "t": np.array([0, 1]), "m": np.arange(4.0).reshape(2, 2)})
    fields = (TABLE.fields[1], TABLE.fields[4], field("m", shape=(2,)))
    assert to_csv(Schema(modality="tabular", fields=fields), kept) == (
        "f4,t,m.0,m.1\n0.1,1970-01-01T00:00:00.000000000Z,0.0,1.0\n,1970-01-01T00:00:00.000000001Z,2.0,3.0\n"
    )


def exported(schema, kept, tmp_path, kind="npz"):
    for name in ("in", "out"):
        (tmp_path / name).mkdir(exist_ok=True)
    write_dataset(tmp_path / "in", kept)
    context = Context(out=tmp_path / "out", root=tmp_path, workers=1, progress=None)
    export(Export(schema=schema, format=kind), {"samples": Artifact(tmp_path / "in", (DATA,))}, context)
    return {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}


def test_arrays_of_any_name_come_back_and_the_same_records_give_the_same_bytes(tmp_path):
    schema = Schema(
        modality="image",
        fields=(field("file", "float32", shape=(1, 2, 3), range=(0, 16)), field("allow_pickle", "string", "key")),
    )
    pixels = np.arange(24, dtype=np.float32).reshape(4, 1, 2, 3) % 17
    kept = Dataset({"file": pixels, "allow_pickle": np.frombuffer(b"a\0bccdd\0", np.uint8).reshape(4, 2)})
    files = exported(schema, kept, tmp_path)
    assert sorted(files) == ["samples.npz", "samples.png"]
    assert files == exported(schema, kept, tmp_path)
    loaded = np.load(io.BytesIO(files["samples.npz"]), allow_pickle=False)
    assert np.array_equal(loaded["file"], pixels)
    assert loaded["allow_pickle"].tolist() == ["a", "bc", "cd", "d"]
    assert Image.open(io.BytesIO(files["samples.png"])).size == (4 * (3 * 16 + 2) + 2, 2 * 16 + 2 + 2)


def test_a_table_comes_as_csv(tmp_path):
    files = exported(TABLE, Dataset({"rid": np.arange(2), "f8": np.array([0.5, -5.2])}), tmp_path, "csv")
    assert files == {"samples.csv": b"rid,f8\n0,0.5\n1,-5.2\n"}
