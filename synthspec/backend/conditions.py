"""Can the conditions that a sample asks for be drawn? Pure; the drawing itself is in `synthspec.backend.draws`."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.backend.columns import find_field, spelled
from synthspec.ir.members import held_reasons
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
            yield from held_reasons(field, held[name])
        elif name in variables:
            yield from _drawn(field, variables[name])
        else:
            yield f"the condition {name!r} has neither a distribution nor a value to be sampled at"


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
