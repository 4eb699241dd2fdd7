"""Parquet and Arrow files to tables of arrays and text, a batch at a time. pyarrow is an extra, loaded here alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.protocol import DataError
from synthspec.execute.core.source import within_memory
from synthspec.execute.core.table import Raw, Table

if TYPE_CHECKING:
    import pyarrow as pa

MAX_COLUMNS = 10_000
MAX_CELL = 1 << 20
"""Bytes of one text."""
_WRITE = "write it again with pyarrow, pandas or polars"


def arrow_chunks(name: str, handle: BinaryIO, wanted: Collection[str], rows: int) -> Iterator[Table]:
    """The columns of the parquet or arrow file `handle` whose names are in `wanted`, at most `rows` records at a time.

    Lists of one length become arrays, times instants in UTC, gaps NaN or no text. Raises DataError:
    `engine.backend-unsupported` without pyarrow, `schema.bad-value` for what is damaged or of a type without an equal
    here, `schema.duplicate-name` for two columns of one name, `syntax.too-large` for more than memory holds.
    """
    if find_spec("pyarrow") is None:
        message = f"{name} is read with pyarrow, which is not installed"
        raise DataError("engine.backend-unsupported", message, "run: pip install 'synthspec[arrow]'")
    import pyarrow as pa

    start = 0
    try:
        for batch, others in _batches(name, handle, frozenset(wanted), rows):
            yield _table(name, batch, start, others)
            start += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError("schema.bad-value", f"{name} is damaged or of another kind: {first}", _WRITE) from error


Batches = Iterator[tuple["pa.RecordBatch", tuple[str, ...]]]


def _batches(name: str, handle: BinaryIO, wanted: frozenset[str], rows: int) -> Batches:
    """Batches of the columns that are wanted, at least one, and the names of the others."""
    if handle.read(4) == b"PAR1":
        handle.seek(0)
        yield from _parquet(name, handle, wanted, rows)
    else:
        handle.seek(0)
        yield from _arrow(name, handle, wanted, rows)


def _parquet(name: str, handle: BinaryIO, wanted: frozenset[str], rows: int) -> Batches:
    import pyarrow as pa
    from pyarrow import parquet

    file = parquet.ParquetFile(handle)
    schema = file.schema_arrow
    picked, others = _names(name, schema.names, wanted)
    largest = 0
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        sizes = (group.column(column) for column in range(group.num_columns))
        largest = max(
            largest, sum(c.total_uncompressed_size for c in sizes if c.path_in_schema.split(".")[0] in picked)
        )
    within_memory(max(largest, 8 * file.metadata.num_rows * len(picked)), name)
    made = False
    for batch in file.iter_batches(batch_size=rows, columns=list(picked)):
        yield batch, others
        made = True
    if not made:
        fields = [schema.field(column) for column in picked]
        yield (
            pa.RecordBatch.from_arrays([pa.array([], field.type) for field in fields], schema=pa.schema(fields)),
            others,
        )


def _arrow(name: str, handle: BinaryIO, wanted: frozenset[str], rows: int) -> Batches:
    import pyarrow as pa
    from pyarrow import ipc

    magic = handle.read(6)
    handle.seek(0)
    reader: Any = ipc.open_file(handle) if magic == b"ARROW1" else ipc.open_stream(handle)
    picked, others = _names(name, reader.schema.names, wanted)
    whole: Iterator[pa.RecordBatch] = (
        (reader.get_batch(number) for number in range(reader.num_record_batches))
        if magic == b"ARROW1"
        else iter(reader)
    )
    made = False
    for batch in whole:
        within_memory(batch.nbytes, name)
        chosen = batch.select(list(picked))
        for start in range(0, max(chosen.num_rows, 0), rows):
            yield chosen.slice(start, rows), others
            made = True
    if not made:
        fields = [reader.schema.field(column) for column in picked]
        yield (
            pa.RecordBatch.from_arrays([pa.array([], field.type) for field in fields], schema=pa.schema(fields)),
            others,
        )


def _names(name: str, names: Sequence[str], wanted: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if len(names) > MAX_COLUMNS:
        message = f"{name} has {len(names)} columns; at most {MAX_COLUMNS} are read"
        raise DataError("syntax.too-large", message, "put long vectors into a list column")
    twice = sorted({each for each in names if names.count(each) > 1}) if len(set(names)) < len(names) else []
    if twice:
        message = f"{name}: two columns are called {twice[0]!r}"
        raise DataError("schema.duplicate-name", message, "give every column its own name")
    return tuple(each for each in names if each in wanted), tuple(each for each in names if each not in wanted)


def _table(name: str, batch: pa.RecordBatch, start: int, others: tuple[str, ...]) -> Table:
    batch.validate(full=True)
    columns = {
        field.name: _column(f"{name}, column {field.name!r}", batch.column(number), field.type)
        for number, field in enumerate(batch.schema)
    }
    return Table(name=name, rows=batch.num_rows, columns=columns, where=lambda row: f"row {start + row}", others=others)


def _column(where: str, array: Any, kind: Any) -> Raw:  # noqa: ANN401 - pyarrow has no types of its own
    from pyarrow import types

    if types.is_dictionary(kind):
        return _column(where, array.dictionary_decode(), kind.value_type)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _lists(where, array, kind)
    if types.is_floating(kind):
        return _floats(array)
    if types.is_timestamp(kind) or types.is_date(kind):
        return _instants(where, array)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_decimal(kind) or types.is_null(kind):
        return ["" if value is None else str(value) for value in array.to_pylist()]
    if types.is_integer(kind) or types.is_boolean(kind):
        if not array.null_count:
            return np.asarray(array.to_numpy(zero_copy_only=False))
        return ["" if value is None else str(value).lower() for value in array.to_pylist()]
    raise DataError(
        "schema.bad-value", f"{where}: {kind} has no equal here", "store numbers, truth values, times or text"
    )


def _floats(array: Any) -> NDArray[np.generic]:  # noqa: ANN401
    return np.asarray(array.to_numpy(zero_copy_only=False))


def _instants(where: str, array: Any) -> NDArray[np.generic]:  # noqa: ANN401
    import pyarrow as pa

    try:
        whole = array.cast(pa.timestamp("ns"))
    except pa.ArrowInvalid as error:
        message = f"{where}: an instant lies outside of what 64 bits of nanoseconds reach"
        raise DataError("schema.bad-value", message, "correct the record") from error
    return np.asarray(whole.to_numpy(zero_copy_only=False)).astype("datetime64[ns]")


def _lists(where: str, array: Any, kind: Any) -> NDArray[np.generic]:  # noqa: ANN401
    lengths = {None if value is None else len(value) for value in array}
    if len(lengths) > 1 or None in lengths:
        raise DataError(
            "schema.bad-value", f"{where}: lists of several lengths", "write lists of one length, without gaps"
        )
    length = next(iter(lengths), 0) or 0
    inner = _column(where, array.flatten(), kind.value_type)
    if isinstance(inner, list):
        raise DataError("schema.bad-value", f"{where}: lists of text, or with gaps", "store lists of numbers")
    return inner.reshape(len(array), length, *inner.shape[1:])
