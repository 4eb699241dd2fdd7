"""A registered variable is no such condition of the SRef.

Why: the SRef is the one source of truth for fields (P403-1). A variable that it does not declare, declares as something
    else, or declares with other values than the interface takes, has nothing to be conditioned on.

Refs: P405-2; P403-1

Bad:
    conditioning.variables:
      digit: {interface: categorical, distribution: empirical, coverage_min: 1.0}
      style: {interface: categorical, distribution: uniform, coverage_min: 1.0}

Good:
    conditioning.variables:
      digit: {interface: categorical, distribution: empirical, coverage_min: 1.0}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import did_you_mean
from synthspec.ir.field_types import INTEGERS, NUMBERS
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import at_field, by_name, variables
from synthspec.spec.sref import SRefField


@rule(code="P405-2.condition-not-in-sref")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    known = [field.name for field in resolved.sref.with_role("condition")]
    fields = by_name(resolved.sref)
    for name, variable in variables(resolved).items():
        field = fields.get(name)
        place = at("conditioning", "variables", name)
        if field is None:
            yield Finding(place, f"the SRef has no field {name!r}", did_you_mean(name, known))
        elif field.role != "condition":
            yield Finding(
                place,
                f"{name!r} is a {field.role} field, not a condition",
                f"give it the role of a condition in the SRef; conditions there: {', '.join(known) or 'none'}",
                (Note(f"{name!r} is declared here", at_field(resolved, field, "role")),),
            )
        elif not _takes(variable.interface, field):
            yield Finding(
                at("conditioning", "variables", name, "interface"),
                f"{name!r} is of dtype {field.dtype}, which no {variable.interface} interface takes",
                "choose the interface that fits the field",
                (Note(f"{name!r} is declared here", at_field(resolved, field, "dtype")),),
            )
    yield from _held(resolved)


def _held(resolved: ResolvedSpec) -> Iterator[Finding]:
    for name in resolved.spec.sampling.condition:
        if name not in variables(resolved):
            place = at("sampling", "condition", name)
            yield Finding(place, f"{name!r} is no registered condition", did_you_mean(name, variables(resolved)))


def _takes(interface: str, field: SRefField) -> bool:
    return {
        "categorical": field.enum is not None or field.dtype in {"categorical", "bool"} | INTEGERS,
        "continuous": field.dtype in NUMBERS and field.enum is None,
        "text": field.dtype == "string",
        "mask": field.dtype == "bool" or field.shape is not None,
    }[interface]
