"""A range has no inside.

Why: values are scaled by the width of the range and clipped to it. Where the low end is not below the high end, nothing can
    lie between them.

Refs: P403-3; P405-7

Bad:
    fields.pixels.range: [16, 0]

Good:
    fields.pixels.range: [0, 16]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.rules.form import Finding, at_sref, sref_rule
from synthspec.spec.sref import SRef


@sref_rule(code="sref.range-empty")
def check(sref: SRef) -> Iterator[Finding]:
    for number, field in enumerate(sref.fields):
        if field.range is not None and not field.range[0] < field.range[1]:
            yield _finding(field.range, ("fields", number, "range"))
    for number, column in enumerate(() if sref.path is None else sref.path.fields):
        # A column along the path may be constant: a vacuum has one index.
        if column.range is not None and column.range[0] > column.range[1]:
            yield _finding(column.range, ("path", "fields", number, "range"))


def _finding(ends: tuple[float, float], path: tuple[str | int, ...]) -> Finding:
    message = f"the range [{ends[0]:g}, {ends[1]:g}] is empty"
    return Finding(at_sref(*path), message, "write the low end first, below the high end")
