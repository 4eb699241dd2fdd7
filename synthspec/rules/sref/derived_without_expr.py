"""A derived field has no expression.

Why: a derived field is computed from others, before training and again on the samples. Without its expression it is a
    column that nobody can recompute.

Refs: P403-3; P405-7

Bad on fiber-link-flow without fields.loss.expr:

Good:
    fields.loss.expr: 10 dB * log10(power_in / power_out)
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.rules.form import Finding, at_sref, sref_rule
from synthspec.spec.sref import SRef


@sref_rule(code="sref.derived-without-expr")
def check(sref: SRef) -> Iterator[Finding]:
    for number, field in enumerate(sref.fields):
        if field.role == "derived" and field.expr is None:
            place = at_sref("fields", number, "expr")
            yield Finding(place, f"{field.name!r} is derived, but from nothing", "write its expr, or another role")
