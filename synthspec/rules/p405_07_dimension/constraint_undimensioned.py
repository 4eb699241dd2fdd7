"""An expression reads a number that has no unit.

Why: check_dim(expr) holds for a formula only when each number in it says what it is (P403-3). A key or a numbered choice
    needs no unit as long as nobody computes with it; where it enters a constraint or a derived field,
    ``unit: dimensionless`` is written out.

Refs: P405-7; P403-3; C40-518

Bad on cancer-dp-vae:
    constraints: [{id: first, expr: rid >= 0}]

Good:
    fields.rid.unit: dimensionless
    constraints: [{id: first, expr: rid >= 0}]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.expr import names, parse
from synthspec.ir.field_types import NUMBERS
from synthspec.rules.form import Finding, Note, at_sref, sref_rule
from synthspec.rules.subject import owes_unit
from synthspec.spec.sref import SRef
from synthspec.text import Path


@sref_rule(code="P405-7.constraint-undimensioned")
def check(sref: SRef) -> Iterator[Finding]:
    # A field that owes its unit anyway is asked for it once, where it is declared: sref.unit-missing.
    bare = {
        field.name: number
        for number, field in enumerate(sref.fields)
        if field.dtype in NUMBERS and field.unit is None and not owes_unit(field)
    }
    for path, text in _expressions(sref):
        tree = parse(text).value
        read = () if tree is None else dict.fromkeys(name for name, _ in names(tree))
        for name in read:
            if name in bare:
                yield Finding(
                    at_sref(*path),
                    f"{name!r} enters the expression without a unit",
                    f"give {name!r} its unit, or unit: dimensionless",
                    (Note("the field", at_sref("fields", bare[name], "name")),),
                )


def _expressions(sref: SRef) -> Iterator[tuple[Path, str]]:
    for number, field in enumerate(sref.fields):
        if field.expr is not None:
            yield ("fields", number, "expr"), field.expr
    for number, constraint in enumerate(sref.constraints):
        yield ("constraints", number, "expr"), constraint.expr
