"""The same records in every format: read back as they were, in the same bytes each time, and saying where they are from."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from synthspec.backend.artifacts import DATA
from synthspec.backend.dataset import Dataset, write_dataset
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.execute.core.backend import CORE
from synthspec.execute.core.bind import bind_tables
from synthspec.execute.core.export import export
from synthspec.execute.core.export_jsonl import to_jsonl
from synthspec.execute.core.provenance import SIDECAR, SOURCE_TYPE
from synthspec.execute.core.reading import tables
from synthspec.ir.ops import Export, Origin
from synthspec.ir.schema import Field, Schema

pytest.importorskip("pyarrow")
FORMATS = ("parquet", "jsonl", "npz")
ORIGIN = Origin(stream="marks", version="1.2.0", records="ab" * 32)
SAID = {
    "synthetic": True,
    "digitalSourceType": SOURCE_TYPE,
    "stream": "marks",
    "version": "1.2.0",
    "records": "ab" * 32,
}


def field(name, dtype="float64", role="content", **more):
    return Field(name=name, role=role, dtype=dtype, **more)


TABLE = Schema(
    modality="timeseries",
    fields=(
        field("rid", "int64", "key"),
        field("f4", "float32", nullable=True, unit="m/s", dimension="[L] [T]^-1"),
        field("f8", "float64"),
        field("c", "categorical", "condition", enum=("x,y", 'q"', "a\nb", "NA", "3"), nullable=True),
        field("k", "categorical", "condition", enum=(3, 5, 9), nullable=True),
        field("q", "categorical", "condition", enum=(True, False), nullable=True),
        field("t", "timestamp", "time"),
        field("b", "bool"),
        field("s", "string", "key", nullable=True),
        field("w", "float32", shape=(2, 3), unit="V"),
    ),
    pk=("rid",),
)


@st.composite
def records(draw):
    n = draw(st.integers(1, 12))

    def column(dtype, elements, shape=()):
        return draw(arrays.arrays(dtype, (n, *shape), elements=elements))

    words = draw(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5), min_size=n, max_size=n)
    )
    encoded = [word.encode() for word in words]
    width = max(1, *map(len, encoded))
    text = np.frombuffer(b"".join(word.ljust(width, b"\0") for word in encoded), np.uint8)
    finite = st.floats(allow_nan=False, allow_infinity=False)
    return Dataset(
        {
            "rid": np.arange(n),
            "f4": column(np.float32, st.floats(width=32, allow_infinity=False)),
            "f8": column(np.float64, finite),
            "c": column(np.int64, st.integers(-1, 4)),
            "k": column(np.int64, st.integers(-1, 2)),
            "q": column(np.int64, st.integers(-1, 1)),
            "t": column(np.int64, st.integers(-(2**62), 2**62)),
            "b": column(np.uint8, st.integers(0, 1)),
            "s": text.reshape(n, width),
            "w": column(np.float32, st.floats(width=32, allow_nan=False, allow_infinity=False), (2, 3)),
        }
    )


def exported(folder, kept, kind, schema=TABLE, **more):
    for name in ("in", "out"):
        (folder / name).mkdir(exist_ok=True)
    for old in (folder / "out").iterdir():
        old.unlink()
    write_dataset(folder / "in", kept)
    context = Context(out=folder / "out", root=folder, workers=1, progress=None)
    export(Export(schema=schema, format=kind, **more), {"samples": Artifact(folder / "in", (DATA,))}, context)
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir()}


@pytest.mark.parametrize("kind", FORMATS)
@given(kept=records())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_reading_what_was_written_gives_the_same_columns(kind, kept, tmp_path_factory):
    folder = tmp_path_factory.mktemp("round")
    first = exported(folder, kept, kind, origin=ORIGIN)
    assert first == exported(folder, kept, kind, origin=ORIGIN)
    assert set(first) == {f"samples.{kind}"}
    name = f"samples.{kind}"
    again = bind_tables(tables(name, folder / "out" / name, "", TABLE), TABLE).columns
    for column, written in kept.columns.items():
        assert np.array_equal(again[column], written, equal_nan=written.dtype.kind == "f"), column
        assert again[column].dtype == written.dtype


def some(n=3):
    return Dataset({"rid": np.arange(n), "f4": np.float32([0.1, np.nan, 2]), "f8": np.array([0.5, -5.2, 1e300])})


def test_parquet_has_units_and_says_where_it_is_from(tmp_path):
    from pyarrow import parquet

    files = exported(tmp_path, some(), "parquet", origin=ORIGIN)
    read = parquet.read_table(io.BytesIO(files["samples.parquet"]))
    assert read.schema.field("f4").metadata == {b"dtype": b"float32", b"unit": b"m/s", b"dimension": b"[L] [T]^-1"}
    assert json.loads(read.schema.metadata[b"synthspec"]) == SAID
    assert read.column("f4").to_pylist() == [pytest.approx(0.1), None, 2.0]


def test_jsonl_is_plain(tmp_path):
    assert exported(tmp_path, some(), "jsonl")["samples.jsonl"].decode() == (
        '{"rid": 0, "f4": 0.1, "f8": 0.5}\n{"rid": 1, "f4": null, "f8": -5.2}\n{"rid": 2, "f4": 2.0, "f8": 1e+300}\n'
    )


def test_an_infinity_is_no_json():
    with pytest.raises(DataError) as refused:
        list(to_jsonl(TABLE, Dataset({"f8": np.array([1.0, np.inf])})))
    assert "'f8' has an infinite value" in refused.value.message


def test_an_archive_says_it_where_no_reader_of_arrays_looks(tmp_path):
    files = exported(tmp_path, some(), "npz", origin=ORIGIN)
    with zipfile.ZipFile(io.BytesIO(files["samples.npz"])) as archive:
        assert json.loads(archive.comment) == SAID
    with np.load(io.BytesIO(files["samples.npz"]), allow_pickle=False) as loaded:
        assert set(loaded) == {"rid", "f4", "f8"}


def test_a_picture_carries_the_mark_of_the_iptc(tmp_path):
    schema = Schema(modality="image", fields=(field("p", "float32", shape=(1, 2, 3), range=(0, 1)),))
    kept = Dataset({"p": np.linspace(0, 1, 24, dtype=np.float32).reshape(4, 1, 2, 3)})
    marked, plain = (exported(tmp_path, kept, "npz", schema, origin=each) for each in (ORIGIN, None))
    with Image.open(io.BytesIO(marked["samples.png"])) as picture, Image.open(io.BytesIO(plain["samples.png"])) as bare:
        picture.load()
        assert json.loads(picture.info["synthspec"]) == SAID
        assert f'Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"' in picture.info["XML:com.adobe.xmp"]
        assert np.array_equal(np.asarray(picture), np.asarray(bare))
        assert "synthspec" not in bare.info


@pytest.mark.parametrize("kind", [*FORMATS, "csv"])
def test_beside_the_samples_it_says_what_the_columns_mean(tmp_path, kind):
    files = exported(tmp_path, some(), kind, origin=ORIGIN, sidecar=True)
    plain = exported(tmp_path, some(), kind)
    assert files[f"samples.{kind}"] == plain[f"samples.{kind}"]
    assert set(files) == {f"samples.{kind}", SIDECAR}
    assert json.loads(files[SIDECAR]) == SAID | {
        "fields": [
            {"name": "rid", "dtype": "int64"},
            {"name": "f4", "dtype": "float32", "unit": "m/s"},
            {"name": "f8", "dtype": "float64"},
        ]
    }


def test_without_pyarrow_parquet_is_refused_before_anything_runs(monkeypatch):
    monkeypatch.setattr("synthspec.execute.core.backend.absent", lambda *_: "pip install 'synthspec[arrow]'")
    (reason,) = CORE.supports(Export(schema=TABLE, format="parquet"))
    assert reason.endswith("run pip install 'synthspec[arrow]'")
    assert CORE.supports(Export(schema=TABLE, format="jsonl")) == ()
