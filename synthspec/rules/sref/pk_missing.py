"""The schema names no primary key.

Why: without one a row cannot be told from its copy: splits cannot be kept apart, near copies not counted, rows not traced.

Refs: P403-2

Bad without keys:

Good:
    keys: {pk: [rid]}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.rules.form import Finding, at_sref, sref_rule
from synthspec.spec.sref import SRef


@sref_rule(code="sref.pk-missing")
def check(sref: SRef) -> Iterator[Finding]:
    if sref.keys is None or not sref.keys.pk:
        keys = [field.name for field in sref.with_role("key")]
        advice = f"write keys: {{pk: [{', '.join(keys) or '<field>'}]}}"
        yield Finding(at_sref("keys", "pk"), "no primary key is declared", advice)
