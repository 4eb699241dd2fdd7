"""Two names at the source become one field.

Why: alias_map carries a source column over to its field. Two columns for one field, or a column that already has the name of
    another field, leave open which values are meant.

Refs: P403-1

Bad:
    alias_map: {images: pixels, scans: pixels, target: digit}

Good:
    alias_map: {images: pixels, target: digit}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.rules.form import Finding, Note, at_sref, sref_rule
from synthspec.spec.sref import SRef


@sref_rule(code="sref.alias-conflict")
def check(sref: SRef) -> Iterator[Finding]:
    first: dict[str, str] = {}
    fields = {field.name: number for number, field in reversed(tuple(enumerate(sref.fields)))}
    for source, name in sref.alias_map.items():
        earlier = first.setdefault(name, source)
        if earlier != source:
            yield Finding(
                at_sref("alias_map", source),
                f"{earlier!r} and {source!r} would both become {name!r}",
                "keep the one that holds the field",
                (Note("the earlier alias", at_sref("alias_map", earlier)),),
            )
        elif source != name and source in fields:
            yield Finding(
                at_sref("alias_map", source),
                f"{source!r} is renamed to {name!r}, but it is a field of its own",
                "rename the field, or drop the alias",
                (Note("the field", at_sref("fields", fields[source], "name")),),
            )
