"""M40-5.8: the kept records as people take them away: ``samples.npz`` with a picture of some, or ``samples.csv``."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from synthspec.backend.artifacts import DATA
from synthspec.backend.columns import spelled
from synthspec.backend.dataset import Column, Dataset, read_dataset
from synthspec.backend.protocol import Artifact, Context
from synthspec.execute.core.expressions import readable
from synthspec.execute.core.picture import write_grid
from synthspec.ir.ops import Export
from synthspec.ir.schema import Field, Schema

NPZ, CSV, PNG = "samples.npz", "samples.csv", "samples.png"
_DOS_EPOCH = (1980, 1, 1, 0, 0, 0)


def export(op: Export, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Write the records in the order and the units of the schema; the same records give the same bytes."""
    kept = read_dataset(inputs["samples"].path(DATA))
    fields = [field for field in op.schema.fields if field.name in kept.columns]
    if op.format == "npz":
        write_npz(context.out / NPZ, {field.name: as_array(field, kept[field.name]) for field in fields})
        _picture(op.schema, kept, context.out / PNG)
    else:
        (context.out / CSV).write_bytes(csv_bytes(fields, kept))


def as_array(field: Field, column: Column) -> NDArray[np.generic]:
    """A stored column as an array without codes: members (a gap is NaN or ''), instants, text, truth values."""
    if field.dtype == "string":
        return np.array(readable(field, column), dtype=np.str_)
    if field.dtype != "categorical":
        return np.asarray(readable(field, column))
    if any(isinstance(member, str) for member in field.enum):
        return np.array([*map(spelled, field.enum), ""], dtype=np.str_)[column.astype(np.int64)]
    members = np.array(field.enum)
    if not (column == -1).any():
        return np.asarray(members[column.astype(np.int64)])
    return np.append(members.astype(np.float64), np.nan)[column.astype(np.int64)]


def write_npz(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """An uncompressed npz whose bytes depend on `arrays` alone (numpy.savez takes no field called ``file``)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy", _DOS_EPOCH), "w", force_zip64=True) as member:
                npy.write_array(member, np.asanyarray(array), allow_pickle=False)


def csv_bytes(fields: list[Field], kept: Dataset) -> bytes:
    """UTF-8 with one header line; numbers in the fewest digits that read back to the same value, a gap is an empty cell.

    A field with axes takes one column a number, called ``name.0``, ``name.1``, ...
    """
    titles: list[str] = []
    columns: list[list[str]] = []
    for field in fields:
        column = kept[field.name]
        if field.shape:
            titles += [f"{field.name}.{number}" for number in range(field.size)]
            columns += [_cells(field, part) for part in column.reshape(len(kept), -1).T]
        else:
            titles.append(field.name)
            columns.append(_cells(field, column))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode()


def _cells(field: Field, column: Column) -> list[str]:
    if field.dtype == "timestamp":
        return [f"{instant}Z" for instant in np.datetime_as_string(column.astype("datetime64[ns]"))]
    meant = readable(field, column)
    if isinstance(meant, list):
        return ["" if value is None else value for value in meant]
    if meant.dtype.kind == "f":
        # str of a numpy float has the shortest digits for its own precision; a Python float would show float32 noise.
        return ["" if np.isnan(value) else str(value) for value in meant]
    return [spelled(value) for value in meant.tolist()]


def _picture(schema: Schema, kept: Dataset, path: Path) -> None:
    images = [f for f in schema.with_role("content") if len(f.shape) == 3 and f.shape[0] in {1, 3}]
    if schema.modality != "image" or not images or not len(kept):
        return
    classes = [field for field in schema.with_role("condition") if field.dtype == "categorical"]
    groups = kept[classes[0].name].astype(np.int64) if classes and classes[0].name in kept.columns else None
    write_grid(path, kept[images[0].name].astype(np.float64), images[0].range, groups)
