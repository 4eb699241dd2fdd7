"""The data have times, but no time base is fitted.

Why: a series is trained and sampled on a monotonic base and published on wall-clock time. Offset, skew and J between the two
    are part of the data: without them a published time stamp says nothing about the interval before it.

Refs: P405-5; C40-517

Bad on fiber-link-flow without timebase:

Good:
    timebase: {train_on: tau_mono, publish_on: ts, fit: {method: least_squares, window: 600 s}}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import at_field


@rule(code="P405-5.timebase-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    times = resolved.sref.with_role("time")
    if times and resolved.spec.timebase is None:
        anchors = resolved.sref.time
        base = anchors.tau_mono if anchors is not None else times[0].name
        yield Finding(
            at("timebase"),
            "the SRef has time fields, but no time base is declared",
            f"write timebase: {{train_on: {base}, publish_on: ts, fit: {{method: least_squares, window: 600 s}}}}",
            (Note("a time field", at_field(resolved, times[0])),),
        )
