"""A training that fails may begin again without end.

Why: each attempt reads the records and spends the budget again, and which attempt is kept depends on them. A restart is
    accounted for only where the number of attempts is stated.

Refs: P405-4; P405-3

Bad on cancer-dp-vae:
    training.on_divergence: restart

Good:
    training.on_divergence: restart
    training.max_attempts: 2
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism


@rule(code="P405-4.retries-unbounded")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    training = resolved.spec.training
    if mechanism(resolved) is None or training is None:
        return
    if training.on_divergence == "restart" and training.max_attempts is None:
        yield Finding(
            at("training", "on_divergence"),
            "training restarts when it diverges, and nothing says how often",
            "write max_attempts, or on_divergence: stop",
            (Note("each attempt spends this again", at("privacy", "eps_budget")),),
        )
