"""S403-1: how much of the schema a source covers, field by field."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from synthspec.backend.columns import spelled, stored_members
from synthspec.backend.dataset import Column
from synthspec.backend.schema_report import FieldReport, SchemaReport
from synthspec.ir.schema import Field, Schema

MOST = 50
"""Names that are listed of what is not there."""


def schema_report(
    schema: Schema, names: Mapping[str, str], others: tuple[str, ...], columns: Mapping[str, Column], rows: int
) -> SchemaReport:
    """The report of `columns`, bound to `schema`; `names` are those of the source by field, `others` what nobody took."""
    asked = [field for field in schema.fields if field.role != "derived"]
    required = [field for field in asked if not field.nullable]
    return SchemaReport(
        rows=rows,
        cov_schema=_share(asked, names),
        cov_req=_share(required, names),
        fields=tuple(
            FieldReport(
                name=field.name,
                column=names.get(field.name, ""),
                required=not field.nullable,
                dtype=field.dtype,
                unit=field.unit,
                gaps=_gaps(field, columns[field.name]),
                unseen=_unseen(field, columns[field.name]),
            )
            for field in asked
        ),
        pk=schema.pk,
        numbered=any(name not in names for name in schema.pk),
        unmapped=others[:MOST],
    )


def _share(fields: list[Field], names: Mapping[str, str]) -> float:
    return sum(field.name in names for field in fields) / len(fields) if fields else 1.0


def _gaps(field: Field, column: Column) -> int:
    if field.dtype == "categorical":
        absent = np.asarray(column.astype(np.int64) < 0)
    elif field.dtype == "string":
        absent = ~column.astype(bool)
        return int(absent.reshape(len(column), -1).all(axis=1).sum())
    elif column.dtype.kind == "f":
        absent = np.isnan(column.astype(np.float64))
    else:
        return 0
    return int(absent.reshape(len(column), -1).any(axis=1).sum())


def _unseen(field: Field, column: Column) -> tuple[str, ...]:
    if not field.enum or field.dtype == "string":
        return ()
    seen = set(np.unique(column).tolist())
    members = zip(field.enum, stored_members(field), strict=False)
    return tuple(spelled(member) for member, stored in members if stored not in seen)[:MOST]
