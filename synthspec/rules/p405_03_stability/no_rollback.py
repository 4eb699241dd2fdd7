"""There is no way back when training goes wrong.

Why: a monitor that trips has to lead somewhere: to the best or the last good weights, with a smaller step, and only so
    often. Otherwise the last weights are kept, which are the worst.

Refs: P405-3; section IX

Bad without stability.rollback:

Good:
    stability.rollback: {to: best, lr_factor: 0.5, max_rollbacks: 2}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule


@rule(code="P405-3.no-rollback")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    stability = resolved.spec.stability
    rollback = None if stability is None else stability.rollback
    if stability is None or rollback is None:
        yield Finding(
            at("stability", "rollback"),
            "no rollback is declared",
            "write where it goes and how often, such as {to: best, lr_factor: 0.5, max_rollbacks: 2}",
        )
        return
    for number, monitor in enumerate(stability.monitors):
        asks = "action" if monitor.action == "rollback" else "then" if monitor.then == "rollback" else ""
        if asks and rollback.max_rollbacks == 0:
            yield Finding(
                at("stability", "monitors", number, asks),
                f"the monitor of {monitor.signal!r} rolls back, but no rollback is allowed",
                "raise max_rollbacks, or write stop",
                (Note("max_rollbacks is 0 here", at("stability", "rollback", "max_rollbacks")),),
            )
