"""The shares of the split do not add up.

Why: every record belongs to exactly one of train, validation and test. Shares below 1 lose records without a word, shares
    above 1 put some in two.

Refs: P405-9

Bad:
    data.split: {method: hash, key: rid, train: 0.70, val: 0.15, test: 0.20, seed: 11}

Good:
    data.split: {method: hash, key: rid, train: 0.70, val: 0.15, test: 0.15, seed: 11}
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.spec.data import ColumnSplit

TOLERANCE = 1e-9
"""How far from 1 the sum of shares written in decimal may be."""


@rule(code="P405-9.split-sum")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    split = resolved.spec.data.split
    if split is None or isinstance(split, ColumnSplit):
        return
    total = math.fsum((split.train, split.val, split.test))
    if abs(total - 1.0) > TOLERANCE:
        message = f"train, val and test add up to {total:g}"
        yield Finding(at("data", "split"), message, "let the three shares add up to 1")
