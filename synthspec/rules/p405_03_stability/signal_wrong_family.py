"""The signal belongs to another kind of training.

Why: a critic drifts only where there is a critic, and a noisy gradient is released only under a mechanism. On any other
    training the monitor never sees a value and never trips.

Refs: P405-3; section IX

Bad:
    stability.monitors:
      - {signal: critic_drift, trip: abs(critic_drift) > 5, window: 50, action: rollback}

Good:
    stability.monitors:
      - {signal: loss_val, trip: loss_val > 2 * best(loss_val), window: 3, action: stop}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.signals import SIGNALS, signals_of
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import sees_records, undecided
from synthspec.rules.watch import watched


@rule(code="P405-3.signal-wrong-family")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    family = resolved.spec.engine.family
    public = sees_records(resolved) is None and not undecided(resolved)
    for place, name in watched(resolved):
        signal = SIGNALS.get(name)
        if signal is None:
            continue
        if family not in signal.families:
            owners = ", ".join(sorted(signal.families))
            advice = f"a {family} emits {', '.join(signals_of(family))}"
            because = Note("the family is chosen here", at("engine", "family"))
            yield Finding(place, f"{name!r} is a signal of {owners}, and this is a {family}", advice, (because,))
        elif signal.mechanism and public:
            message = f"{name!r} exists under a privacy mechanism only"
            yield Finding(place, message, "watch grad_norm or loss instead", (Note("none here", at("privacy")),))
