"""Categories would be read off private data.

Why: that a category exists can be the secret: one record with a rare value makes it appear. The values are listed in the
    SRef. So it is with the keys of another table that foreign keys are drawn from: that a key is there is told, so the table
    has to be public.

Refs: P405-4

Bad on cancer-dp-vae without conditioning.variables.diagnosis.coverage_min, fields.diagnosis.enum:
    conditioning.variables.diagnosis.coverage_min: 1.0

Good:
    fields.diagnosis.enum: [0, 1]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, at_sref, rule
from synthspec.rules.subject import mechanism


@rule(code="P405-4.data-dependent-domain")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    if mechanism(resolved) is None:
        return
    for number, field in enumerate(resolved.sref.fields):
        if field.dtype == "categorical" and field.enum is None:
            yield Finding(
                at_sref("fields", number, "enum"),
                f"the categories of {field.name!r} would be read off private data",
                "list them in an enum",
                (Note("the data are protected by this mechanism", at("privacy", "mechanism")),),
            )
    keys, tables = resolved.sref.keys, resolved.spec.data.references or {}
    for name, target in () if keys is None else keys.fk.items():
        table = target.partition(".")[0]
        if table in tables and not tables[table].public:
            yield Finding(
                at("data", "references", table),
                f"made records would point to the keys of {table!r}, which is not said to be public",
                "write public: true if nothing in that table is anybody's secret, or leave the foreign key out",
                (Note("the foreign key", at_sref("keys", "fk", name)),),
            )
