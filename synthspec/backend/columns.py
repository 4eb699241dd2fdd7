"""How fields and their values are stored in columns. Pure: `supports` may ask here, no numpy is loaded."""

from __future__ import annotations

from synthspec.ir.ops import Fit
from synthspec.ir.schema import Field, Schema

Value = str | int | float | bool

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


def spelled(member: Value) -> str:
    """How a member of an enum is written as a key of a table of shares: ``true`` for True, ``3`` for 3."""
    return str(member).lower() if isinstance(member, bool) else str(member)


def member_index(field: Field, value: Value) -> int | None:
    """The place of `value` in the enum of `field`; None when it is no member. True is not 1."""
    for index, member in enumerate(field.enum):
        if isinstance(member, bool) == isinstance(value, bool) and member == value:
            return index
    return None


def stored_members(field: Field) -> tuple[float, ...]:
    """What the column holds for each member of the enum: its code when categorical, else the number itself."""
    if field.dtype == "categorical":
        return tuple(range(len(field.enum)))
    return tuple(float(member) for member in field.enum if not isinstance(member, str))
