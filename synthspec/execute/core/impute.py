"""What fills the gaps of the records: a statistic of the training split alone, or a constant.

The same value goes into every record, those of val and test too, and nothing marks it: what is filled has a spike there, and
less spread. Spikes and shares are in ``impute.json`` for that reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.artifacts import DATA, SPLIT, read_report, write_report
from synthspec.backend.columns import column_dtype, member_index, spelled, stored_members
from synthspec.backend.conservation import CONSERVATION_REPORT
from synthspec.backend.dataset import Column, Dataset, read_dataset, read_rows, write_dataset
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.backend.schema_report import FILL_REPORT, IMPUTE_REPORT, Filled, FillReport, ImputeReport
from synthspec.execute.core.bind import SCHEMA
from synthspec.execute.core.content import allowed
from synthspec.execute.core.expressions import derive
from synthspec.ir.ops import Impute
from synthspec.ir.schema import Field
from synthspec.spec.data import Constant, Statistic
from synthspec.text import counted

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


def impute(op: Impute, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Write ``data.safetensors`` without gaps in the fields of `op`, ``impute.json``, and what `bind` says of the schema.

    Raises DataError (`data.no-value`) where the training split has no value to fill with, `schema.bad-value` where the
    value is none that the field, or a field derived from it, allows.
    """
    data, released = read_dataset(inputs["data"].path(DATA)), inputs.get("fill")
    values = {} if released is None else read_report(released.path(FILL_REPORT), FillReport).values
    columns, report = completed(op, data, read_rows(inputs["split"].path(SPLIT)).train, values)
    write_dataset(context.out, columns)
    write_report(context.out, IMPUTE_REPORT, report)
    for name in (SCHEMA, CONSERVATION_REPORT):
        (context.out / name).write_bytes(inputs["data"].path(name).read_bytes())


def completed(
    op: Impute, data: Dataset, train: Rows, released: Mapping[str, float] = MappingProxyType({})
) -> tuple[Dataset, ImputeReport]:
    """`data` with its gaps filled by the records `train`, derived fields computed again. Raises DataError as `impute`.

    A field that is in `released` is filled with what is there, and nothing is taken of its records.
    """
    columns, made = dict(data.columns), []
    for name, how in op.fill:
        field = op.schema.field(name)
        gaps = gaps_of(field, columns[name])
        if name in released:
            value = np.asarray(released[name], column_dtype(field))
        else:
            value = value_of(field, columns[name][train], gaps[train], how)
        columns[name] = np.where(gaps, value, columns[name]).astype(columns[name].dtype)
        made.append(_told(field, how, gaps, train, value))
    columns = derive(op.schema, columns)
    for field in op.schema.fields:
        _require(field, columns)
    return Dataset(columns), ImputeReport(fields=tuple(made))


def gaps_of(field: Field, column: Column) -> Mask:
    """Where `column` lacks a value of `field`."""
    if field.dtype == "categorical":
        return np.asarray(column == -1)
    return np.isnan(column.astype(np.float64)) if column.dtype.kind == "f" else np.zeros(column.shape, bool)


def value_of(field: Field, train: Column, gaps: Mask, how: Statistic | Constant) -> Column:
    """What stands for a missing value of `field`, as its column holds it: a number for each of its numbers.

    `train` are the training records, `gaps` where they lack a value. A statistic is put on the resolution of the field.
    Raises DataError (`data.no-value`).
    """
    if isinstance(how, Constant):
        index = member_index(field, how.constant) if field.enum else None
        stored = how.constant if index is None else stored_members(field)[index]
        return np.asarray(stored, column_dtype(field))
    flat, absent = train.reshape(len(train), -1), gaps.reshape(len(train), -1)
    if bool(np.any(absent.sum(axis=0) == len(absent))):
        message = f"no training record has a value of {field.name!r}, so there is no {how} to fill its gaps with"
        raise DataError("data.no-value", message, "leave the field out, or fill it with a constant")
    found = [_statistic(field, flat[~absent[:, i], i], how) for i in range(flat.shape[1])]
    return np.asarray(found).reshape(train.shape[1:]).astype(train.dtype)


def _statistic(field: Field, values: Column, how: Statistic) -> float:
    if how == "mode":
        distinct, counts = np.unique(values, return_counts=True)
        return float(distinct[counts.argmax()])
    known = values.astype(np.float64)
    return settled(field, float(known.mean() if how == "mean" else np.median(known)))


def settled(field: Field, value: float) -> float:
    """`value` on the resolution of `field`, within its range."""
    if field.resolution:
        value = float(np.rint(value / field.resolution)) * field.resolution
    return float(np.clip(value, *field.range)) if field.range else value


def _told(field: Field, how: Statistic | Constant, gaps: Mask, train: Rows, value: Column) -> Filled:
    filled: Mask = np.asarray(gaps.reshape(len(gaps), -1).any(axis=1))
    return Filled(
        field=field.name,
        how="constant" if isinstance(how, Constant) else how,
        values=_spelled(field, value),
        filled=int(filled.sum()),
        filled_train=int(filled[train].sum()),
    )


def _spelled(field: Field, value: Column) -> tuple[str, ...]:
    if field.dtype == "categorical":
        return tuple(spelled(field.enum[int(code)]) for code in value.reshape(-1))
    return tuple(repr(float(number)) for number in value.reshape(-1)[:1]) if value.size == 1 else ()


def _require(field: Field, columns: Mapping[str, Column]) -> None:
    if field.name not in columns:
        return
    wrong = np.flatnonzero(~allowed(field, columns[field.name]))
    if len(wrong):
        message = f"filling gaps leaves {field.name!r} in {counted(len(wrong), 'record')} with what it does not allow"
        raise DataError("schema.bad-value", message, "fill with another value: data.impute takes one for each field")
