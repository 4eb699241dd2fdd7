"""A foreign key points to a table that nobody gives.

Why: that no record is an orphan can be checked, and made records can be given keys that there are, only where the referred
    table is there. The SRef says `field: table.column`; the spec says under `data.references` which file the table is.

Refs: P403-2

Bad:
    keys: {pk: [rid], fk: {rid: batches}}

Good:
    keys: {pk: [rid]}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import did_you_mean
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, at_sref, rule
from synthspec.spec.sref import SRef


def malformed(sref: SRef) -> Iterator[Finding]:
    """Targets that are no column of a table."""
    for name, target in ({} if sref.keys is None else sref.keys.fk).items():
        table, dot, column = target.partition(".")
        if not (table and dot and column):
            advice = f"write table.column, such as {name}: {table or 'sites'}.{name}"
            yield Finding(at_sref("keys", "fk", name), f"{target!r} is no column of a table", advice)


@rule(code="sref.fk-target", sref_check=malformed)
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    wrong = list(malformed(resolved.sref))
    yield from wrong
    keys, given = resolved.sref.keys, resolved.spec.data.references or {}
    wanted: dict[str, str] = {}
    for name, target in ({} if keys is None else keys.fk).items():
        table, dot, column = target.partition(".")
        if not (table and dot and column):
            continue
        wanted[table] = name
        if table not in given:
            because = (Note("the foreign key", at_sref("keys", "fk", name)),)
            message = f"{name!r} points to {target}, and data.references gives no table {table!r}"
            advice = did_you_mean(table, given) if given else f"write references: {{{table}: {{source: {table}.csv}}}}"
            yield Finding(at("data", "references"), message, advice, because)
    for table in () if wrong else given:
        if table not in wanted:
            advice = did_you_mean(table, wanted) if wanted else "leave it out, or declare keys.fk in the SRef"
            yield Finding(at("data", "references", table), f"no foreign key points into {table!r}", advice)
