"""No training emits this signal.

Why: a monitor on a name that never appears in the log never trips. It would look like a guard and be none.

Refs: P405-3; section IX

Bad:
    stability.monitors:
      - {signal: vibes, trip: vibes > 5, window: 20, action: stop}

Good:
    stability.monitors:
      - {signal: grad_norm, trip: grad_norm > 5, window: 20, action: stop}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import did_you_mean
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.signals import SIGNALS, signals_of
from synthspec.rules.form import Finding, rule
from synthspec.rules.watch import watched


@rule(code="P405-3.signal-unknown", after=("P405-9.monitor-on-test",))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    for place, signal in watched(resolved):
        if signal not in SIGNALS:
            known = signals_of(resolved.spec.engine.family)
            yield Finding(place, f"no training emits a signal {signal!r}", did_you_mean(signal, known))
