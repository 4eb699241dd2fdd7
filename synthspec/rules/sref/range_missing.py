"""A numeric field has no range.

Why: scaling, clipping and the share of impossible values follow from the range. Where it is not declared they are fitted to
    the training data, which hides faults of the data and costs privacy under a mechanism.

Refs: P403-3; P405-7

Bad without fields.pixels.range:

Good:
    fields.pixels.range: [0, 16]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import Severity
from synthspec.ir.field_types import NUMBERS
from synthspec.rules.form import Finding, at_sref, sref_rule
from synthspec.spec.sref import SRef


@sref_rule(code="sref.range-missing", severity=Severity.WARNING, after=("P405-4.data-dependent-bounds",))
def check(sref: SRef) -> Iterator[Finding]:
    for number, field in enumerate(sref.fields):
        learned = field.role in {"content", "condition"} and field.dtype in NUMBERS
        if learned and field.range is None and field.enum is None:
            place = at_sref("fields", number, "range")
            yield Finding(place, f"{field.name!r} has no range", "write the lowest and highest value it can have")
