"""The published time has no time zone.

Why: a time stamp without its zone is up to a day away from what was meant, and jumps twice a year.

Refs: P405-5

Bad on fiber-link-flow without time.timezone:

Good:
    time.timezone: UTC
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.rules.form import Finding, at_sref, sref_rule
from synthspec.spec.sref import SRef


@sref_rule(code="P405-5.timezone-missing")
def check(sref: SRef) -> Iterator[Finding]:
    if sref.time is not None and sref.time.ts is not None and sref.time.timezone is None:
        place = at_sref("time", "timezone")
        yield Finding(place, f"the zone of {sref.time.ts!r} is not stated", "write timezone: UTC")
