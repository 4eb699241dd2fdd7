"""M40-5.8: the kept records as people take them away: arrays and a picture, or a table; and where they are from."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from synthspec.backend.artifacts import DATA
from synthspec.backend.columns import spelled
from synthspec.backend.dataset import Column, Dataset, read_dataset
from synthspec.backend.protocol import Artifact, Context
from synthspec.execute.core.export_jsonl import to_jsonl
from synthspec.execute.core.expressions import readable as meaning
from synthspec.execute.core.provenance import SIDECAR, note, png_info, sidecar
from synthspec.ir.ops import Export, Origin
from synthspec.ir.schema import Field, Schema

NPZ = "samples.npz"
PNG = "samples.png"
CSV = "samples.csv"
JSONL = "samples.jsonl"
PARQUET = "samples.parquet"
GRID_COLUMNS = 16
GRID_ROWS = 10
CELL = 48
"""Pixels of the longer side of one picture in the grid, about; small pictures are enlarged by whole factors."""
GAP = 2
_DOS_EPOCH = (1980, 1, 1, 0, 0, 0)


def export(op: Export, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Write ``samples.<format>``, with ``samples.png`` where there are pictures, and the sidecar that is asked for.

    Raises DataError as `to_jsonl`.
    """
    dataset = read_dataset(inputs["samples"].path(DATA))
    inside = None if op.sidecar else op.origin
    if op.format == "csv":
        (context.out / CSV).write_text(to_csv(op.schema, dataset), encoding="utf-8")
    elif op.format == "jsonl":
        with (context.out / JSONL).open("w", encoding="utf-8") as lines:
            lines.writelines(to_jsonl(op.schema, dataset))
    elif op.format == "parquet":
        from synthspec.execute.core.export_parquet import write_parquet

        with (context.out / PARQUET).open("wb") as file:
            write_parquet(file, op.schema, dataset, inside)
    else:
        _write_arrays(op.schema, dataset, inside, context)
    if op.sidecar and op.origin is not None:
        (context.out / SIDECAR).write_bytes(sidecar(op.origin, op.schema, list(dataset.columns)))


def _write_arrays(schema: Schema, dataset: Dataset, inside: Origin | None, context: Context) -> None:
    ordered = {
        field.name: readable(field, dataset[field.name]) for field in schema.fields if field.name in dataset.columns
    }
    write_npz(context.out / NPZ, ordered, b"" if inside is None else note(inside))
    pictures = [field for field in schema.with_role("content") if len(field.shape) == 3]
    if pictures:
        _write_png(context, grid(pictures[0], schema, dataset), inside)


def write_npz(path: Path | BinaryIO, arrays: Mapping[str, Column], comment: bytes = b"") -> None:
    """An npz whose bytes depend on `arrays` and `comment` alone. numpy.savez would take no field called ``file``."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = comment
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy", _DOS_EPOCH), "w", force_zip64=True) as member:
                npy.write_array(member, np.asanyarray(array), allow_pickle=False)


def readable(field: Field, column: Column) -> Column:
    """A column as its reader expects it: the members of an enum instead of their codes, times as datetime64, text as text.

    A missing text is empty and a missing number NaN. Truth values are text where one of them is missing.
    """
    if field.dtype == "timestamp":
        return column.astype("datetime64[ns]")
    if field.dtype == "bool":
        return column.astype(np.bool_)
    if field.dtype == "string":
        return np.array(meaning(field, column), dtype=np.str_)
    members = np.asarray(field.enum)
    if field.dtype != "categorical" or not field.enum or members.dtype.kind not in "iuUfb":
        return column
    codes = column.astype(np.int64)
    if not (codes < 0).any():
        taken: Column = members[codes]
        return taken
    if members.dtype.kind == "b":
        members = np.asarray([spelled(member) for member in field.enum])
    # The last of the members is what code -1 takes.
    gap = np.asarray([""]) if members.dtype.kind == "U" else np.asarray([np.nan])
    filled: Column = np.concatenate([members, gap])[np.maximum(codes, -1)]
    return filled


def to_csv(schema: Schema, dataset: Dataset) -> str:
    """RFC 4180 with a header, one record a line, in the order of the schema; a missing value is empty.

    A field with axes takes one column a number, called ``name.0``, ``name.1``, ...
    """
    columns = dict(part for field in schema.fields if field.name in dataset.columns for part in _parts(field, dataset))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return buffer.getvalue()


def _parts(field: Field, dataset: Dataset) -> Iterator[tuple[str, list[str]]]:
    column = dataset[field.name]
    if not field.shape:
        yield field.name, _cells(field, column)
        return
    for number, part in enumerate(column.reshape(len(dataset), -1).T):
        yield f"{field.name}.{number}", _cells(field, part)


def _cells(field: Field, column: Column) -> list[str]:
    if field.dtype == "timestamp":
        return [f"{when}Z" for when in np.datetime_as_string(column.astype("datetime64[ns]"))]
    meant = meaning(field, column)
    if isinstance(meant, list):
        return ["" if value is None else value for value in meant]
    if meant.dtype.kind == "f":
        # str of a numpy number has the shortest digits that give this number of this width back.
        return ["" if np.isnan(value) else str(value) for value in meant]
    return [spelled(value) for value in meant.tolist()]


def grid(field: Field, schema: Schema, dataset: Dataset) -> NDArray[np.uint8]:
    """A picture of pictures [H, W, C]: one row a class where there is one condition with classes, else as they come."""
    content = dataset[field.name].astype(np.float64)
    low, high = field.range or (float(content.min(initial=0.0)), float(content.max(initial=1.0)))
    scaled = np.clip((content - low) / ((high - low) or 1.0), 0.0, 1.0)
    pixels = np.round(scaled * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    factor = max(1, CELL // max(pixels.shape[1:3]))
    pixels = pixels.repeat(factor, axis=1).repeat(factor, axis=2)
    height, width, channels = pixels.shape[1:]
    rows = _rows(schema, dataset)
    columns = max((len(row) for row in rows), default=0)
    sheet = np.full((GAP + len(rows) * (height + GAP), GAP + columns * (width + GAP), channels), 96, np.uint8)
    for down, row in enumerate(rows):
        for across, record in enumerate(row):
            top, left = GAP + down * (height + GAP), GAP + across * (width + GAP)
            sheet[top : top + height, left : left + width] = pixels[record]
    return sheet


def _rows(schema: Schema, dataset: Dataset) -> list[list[int]]:
    """Which records stand in which row of the grid."""
    classes = [field for field in schema.with_role("condition") if field.enum and field.name in dataset.columns]
    if len(classes) == 1:
        codes = dataset[classes[0].name]
        rows = [np.flatnonzero(codes == code)[:GRID_COLUMNS].tolist() for code in range(len(classes[0].enum))]
        return [row for row in rows if row][: 2 * GRID_ROWS]
    shown = min(len(dataset), GRID_ROWS * GRID_COLUMNS)
    return [list(range(start, min(start + GRID_COLUMNS, shown))) for start in range(0, shown, GRID_COLUMNS)]


def _write_png(context: Context, sheet: NDArray[np.uint8], inside: Origin | None) -> None:
    from PIL import Image

    picture = sheet[:, :, 0] if sheet.shape[2] != 3 else sheet
    Image.fromarray(picture).save(
        context.out / PNG, format="PNG", optimize=False, pnginfo=None if inside is None else png_info(inside)
    )
