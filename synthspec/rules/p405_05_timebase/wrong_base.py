"""Training or publication is on the wrong clock.

Why: wall-clock time jumps: leap seconds, corrections, daylight saving. Training and sampling stand on tau_mono, which never
    goes back, and only what is published is put on ts.

Refs: P405-5

Bad on fiber-link-flow:
    timebase: {train_on: ts, publish_on: ts, fit: {method: least_squares, window: 600 s}}

Good:
    timebase: {train_on: tau_mono, publish_on: ts, fit: {method: least_squares, window: 600 s}}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, at_sref, rule


@rule(code="P405-5.wrong-base", after=("P405-5.tau-mono-missing",))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    timebase, anchors = resolved.spec.timebase, resolved.sref.time
    if timebase is None:
        return
    wanted = (
        ("train_on", timebase.train_on, None if anchors is None else anchors.tau_mono),
        ("publish_on", timebase.publish_on, None if anchors is None else anchors.ts),
    )
    for key, stated, anchor in wanted:
        if stated != anchor:
            declared_as = f"the SRef declares {anchor!r} for that" if anchor else "the SRef declares none for that"
            yield Finding(
                at("timebase", key),
                f"{key} is {stated!r}, but {declared_as}",
                f"write {key}: {anchor}" if anchor else "declare it in the section `time` of the SRef",
                (Note("the time anchors", at_sref("time")),),
            )
