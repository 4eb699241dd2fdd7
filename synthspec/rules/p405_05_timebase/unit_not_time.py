"""The monotonic time is not measured in time.

Why: offset is in seconds, skew in seconds a second, J in seconds. A tau_mono in samples or metres, or one that is a calendar
    date, cannot be fitted to ts.

Refs: P405-5; P403-3

Bad on fiber-link-flow:
    fields.tau_mono.unit: m

Good:
    fields.tau_mono.unit: s
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.field_types import NUMBERS
from synthspec.rules.form import Finding, at_sref, sref_rule
from synthspec.spec.sref import SRef
from synthspec.units import parse_unit


@sref_rule(code="P405-5.unit-not-time", after=("sref.unit-missing",))
def check(sref: SRef) -> Iterator[Finding]:
    anchors = sref.time
    for number, field in enumerate(sref.fields):
        if anchors is None or field.name != anchors.tau_mono:
            continue
        if field.dtype not in NUMBERS:
            message = f"{field.name!r} is of dtype {field.dtype}, not a number of seconds"
            yield Finding(at_sref("fields", number, "dtype"), message, "write dtype: float64 and unit: s")
        elif field.unit is not None and parse_unit(field.unit).dimension != parse_unit("s").dimension:
            what = parse_unit(field.unit).dimension.describe()
            place = at_sref("fields", number, "unit")
            yield Finding(place, f"{field.name!r} is {what}, not time", "write a unit of time")
