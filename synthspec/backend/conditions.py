"""Can the conditions that a sample asks for be drawn? Pure; the drawing itself is in `synthspec.backend.draws`."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.backend.columns import Value, find_field, member_index, spelled
from synthspec.ir.ops import Fit, Sample
from synthspec.ir.schema import Field
from synthspec.spec.conditioning import Variable


def condition_reasons(op: Sample) -> tuple[str, ...]:
    """Why the conditions of `op` cannot be drawn; empty when they can."""
    return tuple(_reasons(op))


def class_sizes(op: Fit) -> tuple[int, ...]:
    """Members of each condition, in the order of ``op.conditions``."""
    return tuple(len(op.schema.field(name).enum) for name in op.conditions)


def _reasons(op: Sample) -> Iterator[str]:
    variables, held = dict(op.variables), dict(op.condition)
    for name in held:
        if name not in op.fit.conditions:
            yield f"{name!r} is held at a value, but the engine is not trained on it as a condition"
    for name in op.fit.conditions:
        field = find_field(op.fit.schema, name)
        if field is None:
            yield f"the condition {name!r} is no field of the SRef"
        elif field.dtype == "string":
            yield f"the condition {name!r} is text; declare it categorical with its members"
        elif name in held:
            yield from _held(field, held[name])
        elif name in variables:
            yield from _drawn(field, variables[name])
        else:
            yield f"the condition {name!r} has neither a distribution nor a value to be sampled at"


def _held(field: Field, value: Value) -> Iterator[str]:
    if field.enum or field.dtype == "categorical":
        if member_index(field, value) is None:
            yield f"{field.name!r} is held at {value!r}, which is no member of its enum"
    elif isinstance(value, str):
        yield f"{field.name!r} is held at {value!r}, which is not a number"
    elif field.range and not field.range[0] <= value <= field.range[1]:
        yield f"{field.name!r} is held at {value!r}, outside its range {list(field.range)}"


def _drawn(field: Field, variable: Variable) -> Iterator[str]:
    law = variable.distribution
    if isinstance(law, dict):
        known = {spelled(member) for member in field.enum}
        unknown = sorted(set(law) - known)
        if unknown:
            yield f"the table of {field.name!r} names {', '.join(unknown)}, which its enum does not have"
        elif not sum(law.values()) > 0:
            yield f"the table of {field.name!r} gives no member a share"
    elif law == "uniform" and not field.enum and field.range is None and field.dtype != "bool":
        yield f"{field.name!r} is to be drawn uniformly, but has neither a range nor an enum"
