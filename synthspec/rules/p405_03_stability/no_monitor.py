"""Nothing watches the training.

Why: divergence, posterior collapse and mode collapse announce themselves in signals long before a sample shows them.
    A training that nobody watches fails late, or does not fail and ships.

Refs: P405-3; section IX

Bad without stability.monitors:

Good:
    stability.monitors:
      - {signal: grad_norm, trip: grad_norm > 50, window: 20, action: rollback}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule


@rule(code="P405-3.no-monitor")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    stability = resolved.spec.stability
    if stability is None or not stability.monitors:
        yield Finding(
            at("stability", "monitors"),
            "no monitor is declared",
            "write at least one, such as {signal: grad_norm, trip: grad_norm > 50, window: 20, action: rollback}",
        )
