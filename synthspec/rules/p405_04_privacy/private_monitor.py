"""Training is steered by private figures.

Why: stopping early, rolling back or choosing a step by a validation loss is a selection on private records that no
    accountant has seen. Under a mechanism only its own outputs are watched: the noisy gradient, the ledger, the step.

Refs: P405-4; P405-3

Bad on cancer-dp-vae:
    stability.convergence: {signal: elbo_val, patience: 10}

Good:
    stability.convergence: {signal: step, max: budget}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.signals import SIGNALS
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import sees_records
from synthspec.rules.watch import looked_at

_ABSENT = {
    "dp-sgd": frozenset({"votes_real", "eps_spent"}),
    "pate": frozenset({"grad_norm_released", "epoch", "eps_spent"}),
}
"""What is released elsewhere and not by engines of this mechanism: advice to watch it would be refused at the next step."""


@rule(code="P405-4.private-monitor", after=("P405-3.signal-wrong-family",))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = sees_records(resolved)
    if block is None:
        return
    family, absent = resolved.spec.engine.family, _ABSENT[block.mechanism]
    free = ", ".join(
        each.name for each in SIGNALS.values() if each.released and family in each.families and each.name not in absent
    )
    for place, name in looked_at(resolved):
        signal = SIGNALS.get(name)
        if signal is not None and not signal.released:
            message = f"{name!r} is computed from private records, and acting on it is not accounted for"
            because = Note("the data are protected by this mechanism", at("privacy", "mechanism"))
            yield Finding(place, message, f"watch what is released anyway: {free}", (because,))
