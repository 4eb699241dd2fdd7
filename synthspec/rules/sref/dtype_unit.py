"""A field that is no number has a unit.

Why: a category, a text, a flag or a timestamp is not measured in anything. A unit on it is a slip of the dtype or of the
    field.

Refs: P403-3

Bad:
    fields.digit.unit: mm

Good without fields.digit.unit:
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.field_types import NUMBERS
from synthspec.rules.form import Finding, Note, at_sref, sref_rule
from synthspec.spec.sref import SRef


@sref_rule(code="sref.dtype-unit")
def check(sref: SRef) -> Iterator[Finding]:
    for number, field in enumerate(sref.fields):
        if field.unit is not None and field.dtype not in NUMBERS:
            yield Finding(
                at_sref("fields", number, "unit"),
                f"{field.name!r} is of dtype {field.dtype}, which has no unit",
                "delete the unit, or choose a numeric dtype",
                (Note("the dtype", at_sref("fields", number, "dtype")),),
            )
