"""S403-1: how much of the schema a source covers, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from synthspec.backend.columns import spelled, stored_members
from synthspec.backend.dataset import Column
from synthspec.backend.schema_report import FieldReport, SchemaReport
from synthspec.execute.core.content import missing
from synthspec.execute.core.policing import Counts
from synthspec.execute.core.referred import ForeignKey
from synthspec.ir.ops import Bind
from synthspec.ir.schema import Field
from synthspec.spec.sref import Into, Policies

if TYPE_CHECKING:
    from synthspec.execute.core.bound import Bound

MOST = 50
"""Names that are listed of what is not there."""


def schema_report(op: Bind, bound: Bound, keys: tuple[ForeignKey, ...]) -> SchemaReport:
    """The report of what `op` bound: names, gaps, policies, and the foreign `keys`."""
    asked = [field for field in op.schema.fields if field.role != "derived"]
    required = [field for field in asked if not field.nullable]
    return SchemaReport(
        rows=bound.rows,
        read=bound.policing.read,
        dropped=bound.policing.dropped,
        cov_schema=_share(asked, bound.names),
        cov_req=_share(required, bound.names),
        fields=tuple(_field(op, bound, field) for field in asked),
        pk=op.schema.pk,
        numbered=any(name not in bound.names for name in op.schema.pk),
        unmapped=bound.others[:MOST],
        foreign_keys=tuple(each.report() for each in keys),
    )


def _field(op: Bind, bound: Bound, field: Field) -> FieldReport:
    policy, counts = op.policy or Policies(), bound.policing.counts.get(field.name, Counts())
    on_gap = "impute" if field.name in op.filled else policy.nulls.get(field.name, "refuse")
    on_unknown = policy.enums.get(field.name, "refuse") if field.enum else ""
    return FieldReport(
        name=field.name,
        column=bound.names.get(field.name, ""),
        required=not field.nullable,
        dtype=field.dtype,
        unit=field.unit,
        gaps=int(missing(field, bound.columns[field.name]).sum()),
        unseen=_unseen(field, bound.columns[field.name]),
        on_gap="keep" if field.nullable else on_gap,
        dropped_gaps=counts.dropped_gaps,
        on_unknown=spelled(on_unknown.into) if isinstance(on_unknown, Into) else on_unknown,
        dropped_unknown=counts.dropped_unknown,
        moved_unknown=counts.moved_unknown,
    )


def _share(fields: list[Field], names: Mapping[str, str]) -> float:
    return sum(field.name in names for field in fields) / len(fields) if fields else 1.0


def _unseen(field: Field, column: Column) -> tuple[str, ...]:
    if not field.enum or field.dtype == "string":
        return ()
    seen = set(np.unique(column).tolist())
    members = zip(field.enum, stored_members(field), strict=False)
    return tuple(spelled(member) for member, stored in members if stored not in seen)[:MOST]
