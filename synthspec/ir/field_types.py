"""What the fields of a schema are in an expression."""

from __future__ import annotations

from synthspec.expr.types import BOOLEAN, INSTANT, PLAIN, TEXT, Number, Type
from synthspec.ir.schema import Field, Schema

INTEGERS = frozenset({"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"})
FLOATS = frozenset({"float16", "float32", "float64"})
NUMBERS = INTEGERS | FLOATS
"""The dtypes of what is measured or counted."""


def field_type(field: Field) -> Type:
    """The type that `field` has where its name stands in an expression."""
    if field.dtype == "timestamp":
        return INSTANT
    if field.dtype == "bool":
        return BOOLEAN
    if field.dtype in ("categorical", "string"):
        return TEXT
    return Number.of(field.unit) if field.unit else PLAIN


def row_types(schema: Schema) -> dict[str, Type]:
    """The types of all fields that an expression over one record may name: those without axes."""
    return {field.name: field_type(field) for field in schema.fields if not field.shape}
