"""An alias leads to a field that does not exist.

Why: a source column that is mapped to nothing is lost when the data are bound, and the field that was meant stays empty.

Refs: P403-1

Bad:
    alias_map: {images: pixels, target: digits}

Good:
    alias_map: {images: pixels, target: digit}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import did_you_mean
from synthspec.rules.form import Finding, at_sref, sref_rule
from synthspec.spec.sref import SRef


@sref_rule(code="sref.alias-unknown")
def check(sref: SRef) -> Iterator[Finding]:
    known = {field.name for field in sref.fields}
    for source, name in sref.alias_map.items():
        if name not in known:
            advice = did_you_mean(name, known)
            yield Finding(at_sref("alias_map", source), f"there is no field {name!r}", advice)
