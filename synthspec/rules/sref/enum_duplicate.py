"""An enum lists one value twice.

Why: each member of an enum is one category: counted once, drawn with one share, covered or not. Twice the same is a slip for
    another value.

Refs: P403-1; P405-2

Bad:
    fields.digit.enum: [0, 1, 2, 3, 4, 5, 6, 7, 8, 8]

Good:
    fields.digit.enum: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.rules.form import Finding, Note, at_sref, sref_rule
from synthspec.spec.sref import SRef


@sref_rule(code="sref.enum-duplicate")
def check(sref: SRef) -> Iterator[Finding]:
    for number, field in enumerate(sref.fields):
        first: dict[tuple[bool, object], int] = {}
        for place, member in enumerate(field.enum or ()):
            # 1 and 1.0 are one value; 1 and true are two.
            earlier = first.setdefault((isinstance(member, bool), member), place)
            if earlier != place:
                yield Finding(
                    at_sref("fields", number, "enum", place),
                    f"{field.name!r} lists {member!r} twice",
                    "delete it, or write the value that was meant",
                    (Note("the first time", at_sref("fields", number, "enum", earlier)),),
                )
