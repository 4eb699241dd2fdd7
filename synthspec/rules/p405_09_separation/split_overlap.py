"""Train and test overlap in time.

Why: a split along time is one only if its key is the time that never goes back. Along another field, or along a wall clock
    that is set back, records of the test period lie among those of training.

Refs: P405-9; P405-5

Bad on fiber-link-flow:
    data.split: {method: time, key: temp, train: 0.70, val: 0.15, test: 0.15, gap: 60 s}

Good:
    data.split: {method: time, key: tau_mono, train: 0.70, val: 0.15, test: 0.15, gap: 60 s}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.spec.data import TimeSplit


@rule(code="P405-9.split-overlap", after=("P405-9.split-missing", "P405-5.tau-mono-missing"))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    split = resolved.spec.data.split
    if not isinstance(split, TimeSplit):
        return
    anchors = resolved.sref.time
    base = None if anchors is None else anchors.tau_mono
    times = [field.name for field in resolved.sref.with_role("time")]
    if split.key != base and (base is not None or split.key not in times):
        yield Finding(
            at("data", "split", "key"),
            f"records in the order of {split.key!r} are not in the order of time",
            f"write key: {base}" if base else "split by a field with the role time",
        )
