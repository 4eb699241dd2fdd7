"""`manifest.synth.schema` from the reports of `bind`, `impute` and `refer`."""

from __future__ import annotations

from typing import Any, cast

from synthspec.backend.artifacts import read_report
from synthspec.backend.schema_report import (
    IMPUTE_REPORT,
    REFER_REPORT,
    SCHEMA_REPORT,
    FieldReport,
    Filled,
    ForeignKeyReport,
    ImputeReport,
    MadeKeys,
    ReferReport,
    SchemaReport,
)
from synthspec.execute import Execution
from synthspec.ir.manifest_schema import BoundField, ForeignKey, SchemaGroup


def schema_group(execution: Execution) -> SchemaGroup:
    """The group; fields in the order of the SRef."""
    bound = read_report(execution.node("bind").artifact.path(SCHEMA_REPORT), SchemaReport)
    ran = {node.node for node in execution.nodes}
    filled: dict[str, Filled] = {}
    if "impute" in ran:
        imputed = read_report(execution.node("impute").artifact.path(IMPUTE_REPORT), ImputeReport)
        filled = {each.field: each for each in imputed.fields}
    made: dict[str, MadeKeys] = {}
    if "refer" in ran:
        referred = read_report(execution.node("refer").artifact.path(REFER_REPORT), ReferReport)
        made = {each.field: each for each in referred.keys}
    return SchemaGroup(
        read=bound.read,
        rows=bound.rows,
        dropped=bound.dropped,
        pk=bound.pk,
        pk_unique=True if bound.pk else None,
        numbered=bound.numbered,
        alias_map={each.column: each.name for each in bound.fields if each.column not in {"", each.name}},
        unmapped=bound.unmapped,
        fields=tuple(_field(each, filled.get(each.name)) for each in bound.fields),
        foreign_keys=tuple(_key(each, made.get(each.field)) for each in bound.foreign_keys) or None,
    )


def _field(found: FieldReport, filled: Filled | None) -> BoundField:
    with_enum = bool(found.on_unknown)
    return BoundField(
        name=found.name,
        column=found.column,
        required=found.required,
        gaps=found.gaps,
        on_gap=cast("Any", found.on_gap),
        dropped_gaps=found.dropped_gaps if found.on_gap == "drop" else None,
        filled_with=None if filled is None else " ".join((filled.how, *filled.values)),
        on_unknown=found.on_unknown or None,
        dropped_unknown=found.dropped_unknown if found.on_unknown == "drop" else None,
        moved_unknown=found.moved_unknown if with_enum and found.on_unknown not in {"refuse", "drop"} else None,
        unseen=found.unseen or None,
    )


def _key(found: ForeignKeyReport, made: MadeKeys | None) -> ForeignKey:
    return ForeignKey(
        field=found.field,
        references=f"{found.table}.{found.column}",
        source=found.source,
        keys=found.keys,
        used=found.used,
        checked=found.checked,
        unmatched=found.unmatched,
        share=found.share,
        # Where they stand: what they hold is in the report beside the data, which is not published.
        worst=tuple(each.partition(": ")[0] for each in found.worst),
        policy=cast("Any", found.policy),
        released="learned" if made is None else cast("Any", made.law),
        released_used=None if made is None else made.used,
        released_unmatched=None if made is None else made.unmatched,
    )
