"""Records as parquet: typed columns with units in the metadata of their fields. pyarrow is an extra, loaded here alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from synthspec.backend.dataset import Column, Dataset
from synthspec.execute.core.expressions import readable as meaning
from synthspec.execute.core.provenance import KEY, note
from synthspec.ir.ops import Origin
from synthspec.ir.schema import Field, Schema

if TYPE_CHECKING:
    import pyarrow as pa


def write_parquet(out: BinaryIO, schema: Schema, dataset: Dataset, origin: Origin | None) -> None:
    """Write the records of `dataset`; the bytes depend on these arguments and the version of pyarrow.

    A field with axes is a list of fixed length in each of them, a category the type of its members, a time an instant in
    UTC with nanoseconds, a missing value null. `origin` goes into the metadata of the file under ``synthspec``.
    """
    import pyarrow as pa
    from pyarrow import parquet

    fields = [field for field in schema.fields if field.name in dataset.columns]
    arrays = [_array(field, dataset[field.name]) for field in fields]
    told = None if origin is None else {KEY: note(origin)}
    shape = pa.schema(
        [_field(field, array) for field, array in zip(fields, arrays, strict=True)],
        metadata=told,
    )
    parquet.write_table(pa.Table.from_arrays(arrays, schema=shape), out, version="2.6", compression="snappy")


def _field(field: Field, array: pa.Array) -> pa.Field:
    import pyarrow as pa

    said = {"dtype": field.dtype, "unit": field.unit, "dimension": field.dimension}
    metadata = {name: text for name, text in said.items() if text}
    nullable = field.nullable or bool(array.null_count)
    return pa.field(field.name, array.type, nullable=nullable, metadata=metadata)


def _array(field: Field, column: Column) -> pa.Array:
    import pyarrow as pa

    array = _flat(field, column.reshape(-1) if field.shape else column)
    for length in reversed(field.shape):
        array = pa.FixedSizeListArray.from_arrays(array, length)
    return array


def _flat(field: Field, column: Column) -> pa.Array:
    import pyarrow as pa

    if field.dtype == "timestamp":
        return pa.array(column.astype("datetime64[ns]"), pa.timestamp("ns", tz="UTC"))
    if field.dtype == "categorical":
        return _members(field, column)
    meant = meaning(field, column)
    if isinstance(meant, list):
        return pa.array([value or None for value in meant], pa.string())
    if meant.dtype.kind != "f":
        return pa.array(meant)
    # Inside of a list a gap stays a NaN: a list with gaps is read as such by few.
    return pa.array(meant) if field.shape else pa.array(meant, mask=np.isnan(meant))


def _members(field: Field, column: Column) -> pa.Array:
    """The members behind the codes, as numbers or truth values where all of them are; else as they are spelled."""
    import pyarrow as pa

    kinds = {type(member) for member in field.enum}
    members: list[Any] = [*field.enum] if len(kinds) == 1 else []
    if not members:
        return pa.array(meaning(field, column), pa.string())
    members.append(None)
    return pa.array(
        [members[code] if -1 <= code < len(field.enum) else None for code in column.tolist()],
        {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}[kinds.pop()],
    )
