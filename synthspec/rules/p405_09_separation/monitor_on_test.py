"""Training looks at the test split.

Why: stopping, rolling back or choosing weights by a test score trains on the test split, by one bit a look. Only training and
    validation figures steer a training.

Refs: P405-9; P405-3

Bad:
    stability.convergence: {signal: loss_test, patience: 10}

Good:
    stability.convergence: {signal: loss_val, patience: 10}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, rule
from synthspec.rules.watch import looked_at


@rule(code="P405-9.monitor-on-test")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    for place, signal in looked_at(resolved):
        if signal.endswith("_test"):
            advice = f"watch {signal.removesuffix('_test')}_val"
            yield Finding(place, f"{signal!r} is measured on the test split", advice)
