"""Scalers would be fitted on private data.

Why: a minimum, a maximum or a mean of private records is a release of its own. Bounds come from the SRef, where someone
    stated them without looking.

Refs: P405-4; P405-7

Bad on cancer-dp-vae:
    privacy.bounds: data

Good:
    privacy.bounds: sref
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.field_types import NUMBERS
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import at_field, mechanism
from synthspec.spec.privacy import Pate


@rule(code="P405-4.data-dependent-bounds")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if block is None:
        return
    if not isinstance(block, Pate) and block.bounds != "sref":
        stated = "taken from the data" if block.bounds == "data" else "not stated"
        yield Finding(at("privacy", "bounds"), f"bounds are {stated}", "write bounds: sref")
        return
    for field in (*resolved.sref.with_role("content"), *resolved.sref.with_role("condition")):
        if field.dtype in NUMBERS and field.range is None and field.enum is None:
            yield Finding(
                at("privacy", "mechanism" if isinstance(block, Pate) else "bounds"),
                f"bounds come from the SRef, but {field.name!r} has none there",
                f"give {field.name!r} a range in the SRef",
                (Note("a numeric field without a range", at_field(resolved, field)),),
            )
