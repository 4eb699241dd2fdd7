"""It is not said whom the guarantee protects.

Why: a guarantee for one row protects nobody who has a thousand rows. The unit is a record, or the field of the SRef that
    names the person, device or site behind it.

Refs: P405-4

Bad on cancer-dp-vae without privacy.unit:

Good:
    privacy.unit: record
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import did_you_mean
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import mechanism


@rule(code="P405-4.unit-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if block is None:
        return
    keys = [field.name for field in resolved.sref.with_role("key")]
    if block.unit is None:
        advice = f"write record, or the key of the entity that is protected ({', '.join(keys)})"
        yield Finding(at("privacy", "unit"), "the unit of privacy is not stated", advice)
    elif block.unit != "record" and resolved.sref.field(block.unit) is None:
        advice = did_you_mean(block.unit, ["record", *keys])
        yield Finding(at("privacy", "unit"), f"{block.unit!r} is neither record nor a field of the SRef", advice)
