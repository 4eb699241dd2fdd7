"""A numeric field has no unit.

Why: every field that enters a computation declares its unit (P403-3): a number without one can be added to anything. A pure
    number says so: ``unit: dimensionless``.

Refs: P403-3; P405-7; C40-518

Bad without fields.pixels.unit:

Good:
    fields.pixels.unit: dimensionless
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.rules.form import Finding, at_sref, sref_rule
from synthspec.rules.subject import owes_unit
from synthspec.spec.sref import SRef


@sref_rule(code="sref.unit-missing")
def check(sref: SRef) -> Iterator[Finding]:
    for number, field in enumerate(sref.fields):
        if owes_unit(field) and field.unit is None:
            yield _finding(field.name, ("fields", number, "unit"))
    for number, column in enumerate(() if sref.path is None else sref.path.fields):
        if column.unit is None:
            yield _finding(column.name, ("path", "fields", number, "unit"))


def _finding(name: str, path: tuple[str | int, ...]) -> Finding:
    return Finding(at_sref(*path), f"the numeric field {name!r} has no unit", "write its unit, or unit: dimensionless")
