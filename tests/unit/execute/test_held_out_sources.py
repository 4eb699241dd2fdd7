"""Sources as strangers write them: what a file says is read, or refused by name; nothing is cut, dropped or wrapped around."""

from __future__ import annotations

import io
import json
import struct
import wave
import zlib

import numpy as np
import pytest
from PIL import Image

from synthspec.backend.protocol import DataError
from synthspec.execute.core.bind import bind_tables
from synthspec.execute.core.columns import Cells, bind_column
from synthspec.execute.core.instants import parse_instant
from synthspec.execute.core.reading import tables
from synthspec.execute.core.table import Table
from synthspec.ir.schema import Field, Schema


def field(name, dtype="float64", role="content", **more):
    return Field(name=name, role=role, dtype=dtype, **more)


def cells(raw, dtype):
    table = Table(name="a.npz", rows=len(raw), columns={}, where=lambda row: f"row {row}")
    return Cells(table, "x", field("x", dtype, enum=("a", "b") if dtype == "categorical" else ()), raw)


@pytest.mark.parametrize(
    ("raw", "dtype", "words"),
    [
        (np.array([5, 2**63 + 1], np.uint64), "int64", "row 1.*9223372036854775809 does not fit into 64 bits"),
        (np.array([1.0, 2.0**63]), "int64", "row 1.*does not fit into int64"),
        (np.array([1.0, 2.0**31]), "int32", "row 1.*does not fit into int32"),
        (np.array([1, 2**31]), "int32", "row 1.*does not fit into int32"),
        (np.array(["2020-01-01", "9999-01-01"], "M8[s]"), "timestamp", "row 1.*no whole nanosecond"),
        (np.array([1, 2], "M8[as]"), "timestamp", "row 0.*no whole nanosecond"),
        (np.zeros(2, "M8"), "timestamp", "row 0.*no whole nanosecond"),
        (np.array([1, 2**63], np.uint64), "timestamp", "row 1.*64 bits"),
        (np.array([b"a", b"\xff"]), "categorical", "row 1.*not UTF-8"),
    ],
)
def test_numpy_never_wraps_around(raw, dtype, words):
    with pytest.raises(DataError, match=words):
        bind_column(cells(raw, dtype))


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**53 + 1])
def test_every_int64_keeps_its_digits(number):
    for dtype in (np.int64, np.uint64) if number > 0 else (np.int64,):
        assert bind_column(cells(np.array([number], dtype), "int64")).tolist() == [number]
    assert bind_column(cells([str(number)], "int64")).tolist() == [number]


def test_an_offset_of_more_than_a_day_is_none():
    assert "offset" in str(parse_instant("2020-01-01T00:00:00+24:00"))
    assert "offset" in str(parse_instant("2020-01-01T00:00:00-01:60"))
    assert parse_instant("2020-01-01T00:00:00+05:30") == parse_instant("2019-12-31T18:30:00Z")


# -- pictures, sounds and lists -----------------------------------------------------------------------------------------

RNG = np.random.default_rng(20)
COLOUR = RNG.integers(1, 256, (4, 6, 3), dtype=np.uint8)
GREY = RNG.integers(1, 256, (4, 6), dtype=np.uint8)


def bound(tmp_path, files, content, name="held", fields=()):
    for file, data in files.items():
        path = tmp_path / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    schema = Schema(modality="image", fields=(content, *fields))
    return bind_tables(tables(name, tmp_path / name, "", schema), schema).columns[content.name]


def pixels(channels):
    return field("pixels", "float32", shape=(channels, 4, 6), range=(0, 255))


def encoded(image, kind="PNG", **more):
    stream = io.BytesIO()
    image.save(stream, kind, **more)
    return stream.getvalue()


def deep_png(values):
    """A PNG of 16 bits a channel, which Pillow cannot write in colour."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width, channels = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


PALETTE = Image.fromarray(COLOUR).quantize(8)
REFUSED = {
    "grey of 16 bits": (1, "a.png", deep_png(GREY[..., None].astype(np.uint16) * 257), "16 bits a channel"),
    "colour of 16 bits": (3, "a.png", deep_png(COLOUR.astype(np.uint16) * 255), "16 bits a channel"),
    "a transparent colour": (3, "a.png", encoded(Image.fromarray(COLOUR), transparency=(1, 2, 3)), "transparent"),
    "a transparent entry": (3, "a.png", encoded(PALETTE, transparency=0), "transparent"),
    "entries half transparent": (3, "a.png", encoded(PALETTE, transparency=b"\0\x80"), "transparent"),
    "colours as grey": (1, "a.png", encoded(PALETTE), "in colour"),
    "alpha": (3, "a.png", encoded(Image.fromarray(COLOUR).convert("RGBA")), "mode RGBA"),
    "frames": (
        3,
        "a.png",
        encoded(Image.fromarray(COLOUR), save_all=True, append_images=[Image.fromarray(255 - COLOUR)]),
        "animated",
    ),
    "cmyk": (3, "a.jpg", encoded(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"), "mode CMYK"),
    "half a file": (3, "a.jpg", encoded(Image.fromarray(COLOUR), "JPEG")[:-20], "truncated"),
    "words": (3, "a.png", b"hello", "none of PNG, JPEG, BMP$"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_picture_that_would_lose_something_is_refused(tmp_path, what):
    channels, file, data, words = REFUSED[what]
    with pytest.raises(DataError, match=f"held/{file} is .*{words}"):
        bound(tmp_path, {file: data}, pixels(channels))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_exif_says(tmp_path, orientation):
    shown = COLOUR
    undone = {
        1: shown,
        2: shown[:, ::-1],
        3: shown[::-1, ::-1],
        4: shown[::-1],
        5: shown.swapaxes(0, 1),
        6: np.rot90(shown, 1),
        7: shown[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(shown, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(np.ascontiguousarray(undone)), exif=exif)
    found = bound(tmp_path, {"a.png": data}, pixels(3))
    assert np.array_equal(found[0], shown.transpose(2, 0, 1))


def test_palettes_of_grey_and_of_colours_are_what_they_show(tmp_path):
    assert np.array_equal(
        bound(tmp_path, {"a.png": encoded(Image.fromarray(GREY).convert("P"))}, pixels(1))[0, 0], GREY
    )
    shown = np.asarray(PALETTE.convert("RGB")).transpose(2, 0, 1)
    assert np.array_equal(bound(tmp_path, {"a.png": encoded(PALETTE)}, pixels(3), "other")[0], shown)


SAMPLES = [0, 1, -1, 100]


def wav(width, rate=8000):
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, width, rate, 0, "NONE", ""))
        shift = 128 if width == 1 else 0
        file.writeframes(b"".join((each + shift).to_bytes(width, "little", signed=width > 1) for each in SAMPLES))
    return stream.getvalue()


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_sounds_of_every_width(tmp_path, width):
    whole = field("sound", "int32", shape=(1, 4))
    assert bound(tmp_path, {"a.wav": wav(width)}, whole)[0, 0].tolist() == SAMPLES
    real = field("sound", "float64", shape=(1, 4))
    assert bound(tmp_path, {"a.wav": wav(width)}, real)[0, 0].tolist() == [
        each / 2 ** (8 * width - 1) for each in SAMPLES
    ]


def test_sounds_of_two_widths_or_rates_are_no_one_number(tmp_path):
    whole, real = field("sound", "int32", shape=(1, 4)), field("sound", "float32", shape=(1, 4))
    widths, rates = {"a.wav": wav(2), "b.wav": wav(1)}, {"a.wav": wav(2), "b.wav": wav(2, 44_100)}
    with pytest.raises(DataError, match=r"held/b\.wav has samples of 8 bits"):
        bound(tmp_path, widths, whole)
    assert len(bound(tmp_path, widths, real)) == 2
    with pytest.raises(DataError, match=r"rates/b\.wav has 44100 samples a second"):
        bound(tmp_path, rates, real, "rates")
    assert len(bound(tmp_path, rates, real, "rates", (field("rate", "int32", "condition"),))) == 2


def test_an_empty_list_is_refused_by_its_line(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"x": None}) + "\n" + json.dumps({"x": []}) + "\n")
    schema = Schema(modality="tabular", fields=(field("x", nullable=True),))
    with pytest.raises(DataError, match=r"a.jsonl, line 2: 'x' is an empty list"):
        bind_tables(tables("a.jsonl", tmp_path / "a.jsonl", "", schema), schema)


def test_a_column_that_is_not_there_says_what_is(tmp_path):
    schema = Schema(modality="tabular", fields=(field("x"),))
    for header, says in (("y,z", "found 'y', 'z'"), ("x;y", "one column, called 'x;y'")):
        (tmp_path / "a.csv").write_text(f"{header}\n1{header[1]}2\n")
        with pytest.raises(DataError, match=says):
            bind_tables(tables("a.csv", tmp_path / "a.csv", "", schema), schema)
