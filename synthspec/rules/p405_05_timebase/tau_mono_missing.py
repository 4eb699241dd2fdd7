"""No field is the monotonic time.

Why: of several time fields one has to be the base that windows, splits and training stand on. It is a field of the SRef that
    never decreases.

Refs: P405-5; P403-4; C40-517

Bad on fiber-link-flow:
    time: {tau_mono: tau, ts: ts, timezone: UTC}

Good:
    time: {tau_mono: tau_mono, ts: ts, timezone: UTC}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import did_you_mean
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at_sref, rule
from synthspec.spec.sref import SRef


def anchored(sref: SRef) -> Iterator[Finding]:
    """What is wrong with the anchors of an SRef that has times."""
    times = [field.name for field in sref.with_role("time")]
    if sref.time is None:
        if times:
            yield _unanchored(times[0])
        return
    for key, name in (("tau_mono", sref.time.tau_mono), ("ts", sref.time.ts)):
        if name is not None and name not in times:
            message = f"{key} is {name!r}, which is no field with the role time"
            yield Finding(at_sref("time", key), message, did_you_mean(name, times))


@rule(code="P405-5.tau-mono-missing", sref_check=anchored)
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    yield from anchored(resolved.sref)
    if resolved.spec.timebase is not None and resolved.sref.time is None and not resolved.sref.with_role("time"):
        yield _unanchored("<field>")


def _unanchored(name: str) -> Finding:
    advice = f"write time: {{tau_mono: {name}, ...}} in the SRef"
    return Finding(at_sref("time", "tau_mono"), "the SRef does not say which time is monotonic", advice)
