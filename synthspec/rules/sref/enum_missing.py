"""A categorical field lists no categories.

Why: which values there are decides the size of the network's last layer, what can be drawn and what counts as covered. Read off
    the data it would change with every new file.

Refs: P403-1; P405-2

Bad without fields.digit.enum:

Good:
    fields.digit.enum: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.rules.form import Finding, at_sref, sref_rule
from synthspec.spec.sref import SRef


@sref_rule(code="sref.enum-missing", after=("P405-4.data-dependent-domain",))
def check(sref: SRef) -> Iterator[Finding]:
    for number, field in enumerate(sref.fields):
        if field.dtype == "categorical" and not field.enum:
            place = at_sref("fields", number, "enum")
            yield Finding(place, f"the categorical field {field.name!r} has no enum", "list its values: enum: [...]")
