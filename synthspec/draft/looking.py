"""A look at every record of a table once, a chunk at a time; no more of it is held, but for a print of each possible key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from synthspec.backend.protocol import DataError
from synthspec.draft.naming import invisible
from synthspec.draft.seen import Seen
from synthspec.execute.core.reading import CELLS, FEWEST, ROWS, column_names, tables
from synthspec.execute.core.source import FOLDER, SKLEARN
from synthspec.ir.schema import Schema

MOST_COLUMNS = 1000
_PICTURES = "`synthspec init FOLDER` without --from writes a spec for pictures to start from"


def look(source: str, path: Path) -> tuple[Seen, ...]:
    """What was seen of each column of `source`, which lies at `path`, in its order.

    Raises DataError as the reader of its kind; for what is no table: a folder, one array without a name, arrays of pictures.
    """
    names = _names(source, path)
    seen = tuple(Seen(name) for name in names)
    rows = min(ROWS, max(FEWEST, CELLS // max(1, len(names))))
    for table in tables(source, path, "", Schema(modality="tabular", fields=()), also=names, rows=rows):
        for column in seen:
            column.add(table)
    _refuse_pictures(source, seen)
    return seen


def _names(source: str, path: Path) -> tuple[str, ...]:
    _table_alone(source)
    names = column_names(source, path)
    if len(names) > MOST_COLUMNS:
        message = f"{source} has {len(names):,} columns; drafts have up to {MOST_COLUMNS:,}"
        advice = "keep the columns that are to be learned, or write the SRef by hand"
        raise DataError("syntax.too-large", message, advice)
    for number, name in enumerate(names, start=1):
        if not name.strip() or invisible(name):
            message = f"{source}: the name of column {number}, {name!r}, is empty or has invisible characters"
            raise DataError("schema.bad-value", message, "give every column a name")
    return names


def _table_alone(source: str) -> None:
    if source.startswith(SKLEARN):
        return
    suffix = PurePosixPath(source).suffix.lower()
    if suffix == FOLDER:
        message = f"{source} is called like a folder, and drafts are made from tables"
        raise DataError("schema.bad-value", message, f"name a csv, jsonl, parquet, arrow or npz file; {_PICTURES}")
    if suffix == ".npy":
        message = f"{source} is one array, whose columns have no names"
        raise DataError("schema.bad-value", message, "write an npz with an array a column, or a csv")


def _refuse_pictures(source: str, seen: Sequence[Seen]) -> None:
    """A table has values, and at most vectors, in its cells."""
    for column in seen:
        if len(column.shape) < 2:
            continue
        held = " x ".join(map(str, column.shape))
        message = f"{source}: each record of {column.name!r} is an array of {held}, and drafts are made from tables"
        shape, moved = _channels_first(column.shape)
        bounds = "[0, 255]" if column.stored == "uint8" else "[<lowest>, <highest>]"
        dtype = column.stored if column.stored in {"uint8", "float32"} else "float32"
        field = f"{{role: content, dtype: {dtype}, shape: {shape}, unit: dimensionless, range: {bounds}}}"
        raise DataError("schema.bad-value", message, f"{_PICTURES}; the field of yours would be {field}{moved}")


def _channels_first(shape: tuple[int, ...]) -> tuple[list[int], str]:
    """The shape that pictures are declared with, and what to do with theirs."""
    if len(shape) == 3 and shape[-1] in {3, 4} and shape[0] not in {1, 3, 4}:
        return [shape[-1], *shape[:-1]], ", with the channels first: numpy.moveaxis(array, -1, 1)"
    sizes = shape[:-1] if len(shape) == 3 and shape[-1] == 1 else shape
    return [1, *sizes] if len(sizes) == 2 else list(sizes), ""
