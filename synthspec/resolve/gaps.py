"""Which fields are bound without gaps: where the SRef leaves such records out, and where the spec has them filled."""

from __future__ import annotations

from dataclasses import replace

from synthspec.ir.schema import Schema
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.sref import SRef

LEARNED = frozenset({"content", "condition"})


def filled(spec: EngineSpec, sref: SRef) -> tuple[str, ...]:
    """The fields whose gaps `data.impute` fills, in the order of the SRef.

    Those that it names; as one word, every learned field that may lack a value. None where the spec fills nothing.
    """
    how = spec.data.impute
    if how is None:
        return ()
    if isinstance(how, dict):
        return tuple(field.name for field in sref.fields if field.name in how)
    nulls = {} if sref.policy is None else sref.policy.nulls
    return tuple(
        field.name
        for field in sref.fields
        if field.role in LEARNED and nulls.get(field.name, "impute" if field.nullable else "") == "impute"
    )


def without_gaps(schema: Schema, spec: EngineSpec, sref: SRef) -> Schema:
    """`schema` as engines see it: a field whose gaps are left out or filled has none to be learned."""
    nulls = {} if sref.policy is None else sref.policy.nulls
    closed = {name for name, what in nulls.items() if what == "drop"} | set(filled(spec, sref))
    fields = tuple(replace(f, nullable=False) if f.nullable and f.name in closed else f for f in schema.fields)
    return replace(schema, fields=fields)
