"""What a field can be held at, and how its values are spelled."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.field_types import INTEGERS
from synthspec.ir.schema import Field
from synthspec.units import UnitError, parse_quantity, parse_unit

Value = str | int | float | bool


def spelled(member: Value) -> str:
    """How a member of an enum is written as a key of a table of shares: ``true`` for True, ``3`` for 3."""
    return str(member).lower() if isinstance(member, bool) else str(member)


def member_index(field: Field, value: Value) -> int | None:
    """The place of `value` in the enum of `field`; None when it is no member. True is not 1."""
    for index, member in enumerate(field.enum):
        if isinstance(member, bool) == isinstance(value, bool) and member == value:
            return index
    return None


def held_at(field: Field, value: Value) -> Value:
    """`value` in the unit of `field` where it is written with a unit of that kind; as it stands otherwise.

    A number alone is in the unit of the field, as ranges and columns are. What is read here can still be refused by
    `held_reasons`, and so is what cannot be read.
    """
    if not isinstance(value, str) or not field.unit or field.enum or field.dtype in {"categorical", "bool", "string"}:
        return value
    try:
        unit = parse_unit(field.unit)
        number = parse_quantity(value, unit).to(unit)
    except UnitError:
        return value
    return int(number) if field.dtype in INTEGERS and number.is_integer() else number


def held_reasons(field: Field, value: Value) -> Iterator[str]:
    """Why `field` cannot be held at `value`: nothing is rounded, cut off or read as something else."""
    if field.enum or field.dtype == "categorical":
        if member_index(field, value) is None:
            yield f"{field.name!r} is held at {value!r}, which is no member of its enum"
    elif field.dtype == "bool":
        if not isinstance(value, bool):
            yield f"{field.name!r} is held at {value!r}, which is neither true nor false"
    elif isinstance(value, str | bool):
        unit = "" if field.unit in {"", "dimensionless"} else f" in {field.unit}, nor one with a unit of that kind"
        yield f"{field.name!r} is held at {spelled(value)!r}, which is not a number{unit}"
    elif field.range and not field.range[0] <= value <= field.range[1]:
        yield f"{field.name!r} is held at {value!r}, outside its range {list(field.range)}"
    elif field.dtype in INTEGERS and value != round(value):
        yield f"{field.name!r} is held at {value!r}, which is no whole number"
