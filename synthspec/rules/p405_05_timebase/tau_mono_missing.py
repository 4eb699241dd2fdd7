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


@rule(code="P405-5.tau-mono-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    anchors = resolved.sref.time
    times = [field.name for field in resolved.sref.with_role("time")]
    if anchors is None:
        if times or resolved.spec.timebase is not None:
            advice = f"write time: {{tau_mono: {times[0] if times else '<field>'}, ...}} in the SRef"
            yield Finding(at_sref("time", "tau_mono"), "the SRef does not say which time is monotonic", advice)
        return
    for key, name in (("tau_mono", anchors.tau_mono), ("ts", anchors.ts)):
        if name is not None and name not in times:
            message = f"{key} is {name!r}, which is no field with the role time"
            yield Finding(at_sref("time", key), message, did_you_mean(name, times))
