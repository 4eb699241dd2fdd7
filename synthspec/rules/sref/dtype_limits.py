"""A field says of itself what it cannot be held to.

Why: a range is of numbers, a resolution of numbers and of instants (in seconds), an enum of what is spelled, with members of
    the kind of its dtype; an expression gives one value a record, so what is derived has no shape. Written elsewhere it reads
    as a promise about the records, and nothing would ever hold them to it.

Refs: P403-3; P405-7

Bad:
    fields.digit.range: [0, 9]

Good without fields.digit.range:
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.field_types import NUMBERS
from synthspec.ir.members import spelled
from synthspec.rules.form import Finding, Note, at_sref, sref_rule
from synthspec.spec.sref import SRef, SRefField

SPELLED = NUMBERS | {"categorical", "string"}
"""The dtypes whose values can be listed."""


@sref_rule(code="sref.dtype-limits")
def check(sref: SRef) -> Iterator[Finding]:
    for number, field in enumerate(sref.fields):
        note = Note("the dtype", at_sref("fields", number, "dtype"))
        for key, advice in _misplaced(field):
            message = f"{field.name!r} is of dtype {field.dtype}, which has no {key}"
            yield Finding(at_sref("fields", number, key), message, advice, (note,))
        for place, member in enumerate(field.enum or () if field.dtype in NUMBERS else ()):
            if isinstance(member, str | bool):
                message = f"{spelled(member)!r} is no number, and {field.name!r} is of dtype {field.dtype}"
                advice = "write the number without quotes, or declare the field categorical"
                yield Finding(at_sref("fields", number, "enum", place), message, advice, (note,))
        if field.role == "derived" and field.shape is not None:
            message = f"{field.name!r} is derived: an expression gives one value a record, and no array"
            yield Finding(at_sref("fields", number, "shape"), message, "delete the shape")


def _misplaced(field: SRefField) -> Iterator[tuple[str, str]]:
    """The keys of `field` that its dtype cannot keep, each with what to do."""
    if field.range is not None and field.dtype not in NUMBERS:
        instead = {
            "timestamp": "delete the range, or say it as a constraint between two fields",
            "categorical": "delete the range: the enum says which values there are",
        }
        yield "range", instead.get(field.dtype, "delete the range, or choose a numeric dtype")
    if field.resolution is not None and field.dtype not in NUMBERS | {"timestamp"}:
        yield "resolution", "delete the resolution, or choose a numeric dtype"
    if field.enum is not None and field.dtype not in SPELLED:
        yield "enum", "delete the enum, or declare the field categorical"
