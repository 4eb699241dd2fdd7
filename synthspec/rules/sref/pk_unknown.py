"""A key names a field that does not exist.

Why: the primary key, the entity and foreign keys are made of fields of this schema. A name that is none of them identifies
    nothing.

Refs: P403-2

Bad:
    keys: {pk: [row_id]}

Good:
    keys: {pk: [rid]}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import did_you_mean
from synthspec.rules.form import Finding, at_sref, sref_rule
from synthspec.spec.sref import SRef


@sref_rule(code="sref.pk-unknown")
def check(sref: SRef) -> Iterator[Finding]:
    if sref.keys is None:
        return
    named = [(("keys", "pk", number), name) for number, name in enumerate(sref.keys.pk)]
    places: list[tuple[tuple[str | int, ...], str]] = [*named]
    if sref.keys.entity is not None:
        places.append((("keys", "entity"), sref.keys.entity))
    places.extend((("keys", "fk", name), name) for name in sref.keys.fk)
    known = {field.name for field in sref.fields}
    for path, name in places:
        if name not in known:
            advice = did_you_mean(name, known)
            yield Finding(at_sref(*path), f"there is no field {name!r}", advice)
