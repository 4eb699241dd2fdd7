"""What stands in the way of moving records onto the constraints of the SRef (`conditioning.projection`)."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.expr import Expr, half_spaces, names, parse
from synthspec.ir.field_types import NUMBERS, row_types
from synthspec.ir.schema import Field, Rule, Schema


def unprojectable(schema: Schema) -> Iterator[str]:
    """Why records of `schema` cannot be moved onto its blocking rules: a projection is onto half-spaces of its numbers."""
    shaped = [field.name for field in schema.with_role("content") if field.shape]
    if shaped:
        yield f"a projection moves single numbers, and {shaped[0]} has axes"
        return
    for rule in schema.rules:
        if rule.severity == "block":
            yield from _reasons(rule, schema)


def _reasons(rule: Rule, schema: Schema) -> Iterator[str]:
    tree = parse(rule.expr).value
    if not isinstance(tree, Expr) or half_spaces(tree, row_types(schema)) is None:
        yield f"the constraint {rule.id!r} is no linear inequality of fields, and no run projects onto others yet"
        return
    for name in dict.fromkeys(name for name, _ in names(tree)):
        if reason := _unmoved(schema.field(name)):
            yield f"the constraint {rule.id!r} names {name}, {reason}"


def _unmoved(field: Field) -> str:
    """Why `field` stays where it is; empty where it can be moved."""
    if field.role != "content":
        return f"which is a {field.role} field: only content is moved"
    if field.dtype not in NUMBERS or field.enum:
        return "whose values are members and no numbers on a line"
    if field.nullable:
        return "which may be missing: a record without it keeps the constraint already"
    return "" if field.range is not None else "which has no range: max_cost is a share of it"
