"""The data are not split.

Why: what is trained on cannot be judged with. Train, validation and test are told apart by a stated rule before anything is
    read, and each of them has records.

Refs: P405-9; M40-5.2

Bad without data.split:

Good:
    data.split: {method: hash, key: rid, train: 0.70, val: 0.15, test: 0.15, seed: 11}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import did_you_mean
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.spec.data import ColumnSplit, HashSplit, TimeSplit


@rule(code="P405-9.split-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    split = resolved.spec.data.split
    if split is None:
        advice = "write split: {method: hash, key: <key>, train: 0.70, val: 0.15, test: 0.15}"
        yield Finding(at("data", "split"), "the data are not split", advice)
        return
    if not isinstance(split, ColumnSplit):
        for part in ("train", "val", "test"):
            if getattr(split, part) == 0:
                yield Finding(at("data", "split", part), f"the {part} split is empty", "give it a share above 0")
    if isinstance(split, HashSplit | TimeSplit) and resolved.sref.field(split.key) is None:
        advice = did_you_mean(split.key, (field.name for field in resolved.sref.fields))
        yield Finding(at("data", "split", "key"), f"there is no field {split.key!r} to split by", advice)
