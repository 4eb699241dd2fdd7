"""A series is split at random.

Why: neighbours in time are nearly alike. Scattered over train and test, each test record has its neighbour in training, and
    the future is known to the model that is tested on it.

Refs: P405-9; P405-5

Bad on fiber-link-flow:
    data.split: {method: random, train: 0.70, val: 0.15, test: 0.15, seed: 1}

Good:
    data.split: {method: time, key: tau_mono, train: 0.70, val: 0.15, test: 0.15, gap: 60 s}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, at_sref, rule
from synthspec.rules.subject import at_field
from synthspec.spec.data import HashSplit, RandomSplit

_WHOLE = "let a column say train, val or test of each series (method: column), or give records a field of the role time"


@rule(code="P405-9.random-split-on-time")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    split, times = resolved.spec.data.split, resolved.sref.with_role("time")
    if isinstance(split, RandomSplit | HashSplit) and (times or resolved.sref.modality == "timeseries"):
        anchors = resolved.sref.time
        base = anchors.tau_mono if anchors is not None else "<the monotonic time>"
        where = at_field(resolved, times[0]) if times else at_sref("modality")
        yield Finding(
            at("data", "split", "method"),
            f"a {split.method} split scatters neighbours in time over train and test",
            f"write {{method: time, key: {base}, ...}} with a gap, or method: column" if times else _WHOLE,
            (Note("the data are ordered in time", where),),
        )
