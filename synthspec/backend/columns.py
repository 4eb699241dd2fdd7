"""How fields and their values are stored in columns. Pure: `supports` may ask here, no numpy is loaded."""

from __future__ import annotations

from synthspec.ir.members import Value, member_index, spelled
from synthspec.ir.ops import Fit
from synthspec.ir.schema import Field, Schema

__all__ = ["Value", "column_dtype", "find_field", "made_fields", "member_index", "spelled", "stored_members"]

_STORED = {"categorical": "int64", "timestamp": "int64", "bool": "uint8"}


def column_dtype(field: Field) -> str:
    """The name of the numpy dtype of the column of `field` (see `synthspec.backend.dataset`).

    Raises ValueError for text, which has no column of numbers.
    """
    if field.dtype == "string":
        raise ValueError(f"field {field.name!r} is text and has no column of numbers")
    return _STORED.get(field.dtype, field.dtype)


def made_fields(fit: Fit) -> tuple[Field, ...]:
    """The fields that a sample must have: content and the registered conditions, in the order of the schema.

    Derived fields are recomputed from these; keys are given to records that are kept.
    """
    return tuple(field for field in fit.schema.fields if field.role == "content" or field.name in fit.conditions)


def find_field(schema: Schema, name: str) -> Field | None:
    """The field called `name`, or None."""
    return next((field for field in schema.fields if field.name == name), None)


def stored_members(field: Field) -> tuple[float, ...]:
    """What the column holds for each member of the enum: its code when categorical, else the number itself."""
    if field.dtype == "categorical":
        return tuple(range(len(field.enum)))
    return tuple(float(member) for member in field.enum if not isinstance(member, str))
