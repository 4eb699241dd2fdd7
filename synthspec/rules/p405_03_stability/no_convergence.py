"""Nothing says when training is done.

Why: "it looked good" is no criterion. Convergence is declared before training: a signal, how long it may stand still, or
    the budget that is spent whatever happens.

Refs: P405-3; section IX

Bad without stability.convergence:

Good:
    stability.convergence: {signal: loss_val, patience: 10, min_delta: 1.0e-4}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule


@rule(code="P405-3.no-convergence")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    stability = resolved.spec.stability
    convergence = None if stability is None else stability.convergence
    if convergence is None:
        yield Finding(
            at("stability", "convergence"),
            "no criterion of convergence is declared",
            "write one, such as {signal: loss_val, patience: 10, min_delta: 1.0e-4}",
        )
    elif convergence.patience is None and convergence.max is None:
        yield Finding(
            at("stability", "convergence", "patience"),
            f"convergence watches {convergence.signal!r}, but no standstill and no budget ends training",
            "write patience (observations without improvement), or max: budget",
        )
