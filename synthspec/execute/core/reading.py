"""A source as tables, a chunk of records at a time: which reader takes it is decided by its name."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from synthspec.backend.protocol import DataError
from synthspec.execute.core.read_arrow import arrow_chunks
from synthspec.execute.core.read_csv import csv_chunks
from synthspec.execute.core.read_folder import COLUMNS, folder_chunks
from synthspec.execute.core.read_jsonl import jsonl_chunks, jsonl_names
from synthspec.execute.core.read_numpy import npz_names, read_npy, read_npz
from synthspec.execute.core.read_sklearn import read_sklearn
from synthspec.execute.core.source import FOLDER, SKLEARN, not_read, read_bytes, sought, streamed
from synthspec.execute.core.table import Table
from synthspec.ir.schema import Field, Schema

ROWS = 1 << 16
"""Records that are text at a time, at most. It changes no byte of what is bound."""
CELLS = 1 << 19
"""Numbers and texts of these records together, about: a short text takes some sixty bytes while it is one."""
FEWEST = 64
"""Records that are taken at a time however wide they are."""


def source_names(schema: Schema) -> dict[str, str]:
    """Field by the names that a source may have for it; its own name is always one of them."""
    own = {field.name: field.name for field in schema.fields}
    return own | dict(schema.aliases)


def tables(
    source: str, path: Path, sha256: str, schema: Schema, also: Collection[str] = (), rows: int = ROWS
) -> Iterator[Table]:
    """The columns of `source`, which lies at `path`, that fields of `schema` are called, and `also`; at least one table.

    What was read is known to digest to `sha256` (empty: to whatever it does) only when the last table was taken. Raises
    DataError as the reader of its kind.
    """
    reason = not_read(source)
    if reason:
        raise DataError("engine.backend-unsupported", reason, "convert it to one of these")
    wanted = {*source_names(schema), *also}
    rows = min(rows, max(FEWEST, CELLS // max(1, sum(field.size for field in schema.fields))))
    suffix = PurePosixPath(source).suffix.lower()
    if source.startswith(SKLEARN):
        yield _picked(read_sklearn(source, sha256), wanted)
    elif suffix == FOLDER:
        yield from (_picked(table, wanted) for table in _folder(source, path, sha256, schema, rows))
    elif suffix == ".csv":
        with streamed(path, source, sha256) as stream:
            yield from csv_chunks(source, stream, wanted, rows)
    elif suffix == ".jsonl":
        with streamed(path, source, sha256) as stream:
            names = jsonl_names(source, stream)
        with streamed(path, source, sha256) as stream:
            yield from jsonl_chunks(source, stream, names, wanted, rows)
    elif suffix in {".parquet", ".arrow", ".feather"}:
        with sought(path, source, sha256) as handle:
            yield from arrow_chunks(source, handle, wanted, rows)
    elif suffix == ".npz":
        yield read_npz(source, read_bytes(path, source, sha256), wanted)
    else:
        yield read_npy(source, read_bytes(path, source, sha256), _only(source, schema.with_role("content")).name)


def column_names(source: str, path: Path) -> tuple[str, ...]:
    """The names of the columns of the table `source`, which lies at `path`, in its order. Raises DataError as `tables`."""
    if PurePosixPath(source).suffix.lower() == ".npz":
        return npz_names(source, read_bytes(path, source, ""))
    return next(tables(source, path, "", Schema(modality="tabular", fields=()), rows=1)).others


def _folder(source: str, path: Path, sha256: str, schema: Schema, rows: int) -> Iterator[Table]:
    if not path.is_dir():
        raise DataError("schema.not-found", f"{source} is no folder", "name a folder, or a file with its ending")
    content = _one_of(source, [field for field in schema.with_role("content") if field.shape])
    if content.name in COLUMNS:
        message = f"{content.name!r} is what every file of a folder has beside its content"
        raise DataError("schema.duplicate-name", message, "give the content field another name")
    return folder_chunks(source, path, content, rows, sha256, rated="rate" in source_names(schema))


def _one_of(source: str, content: list[Field]) -> Field:
    if len(content) != 1:
        message = f"{source} is a folder of pictures or sounds, and the schema has {len(content)} fields of a shape"
        advice = "name a file of records; of a folder every file is one content field, such as shape: [1, 28, 28]"
        raise DataError("schema.bad-value", message, advice)
    return content[0]


def _only(source: str, content: tuple[Field, ...]) -> Field:
    if len(content) != 1:
        message = f"{source} is one array, but the schema has {len(content)} content fields"
        raise DataError("schema.bad-value", message, "use an npz with one array a field")
    return content[0]


def _picked(table: Table, wanted: Collection[str]) -> Table:
    kept = {name: raw for name, raw in table.columns.items() if name in wanted}
    return replace(table, columns=kept, others=tuple(name for name in table.columns if name not in kept))
