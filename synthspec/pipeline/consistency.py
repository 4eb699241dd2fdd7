"""Whether an attack achieved more than the guarantee allows: then the guarantee is false, whatever mi_max says (C40-516).

The accountant bounds hits and false alarms of every attack on one record; the suite measures them with one-sided limits, each
at 1 - 0.05 / attacks. A good mechanism stays far below its bound, since no attack is as good as the best one: a limit on the
wrong side is no bad luck of it, but a defect of this one.
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.accounting import TradeOff, trade_off
from synthspec.ir.evidence import Figure
from synthspec.pipeline.spending import Spending

_RATES = (("tpr_lower", "fpr_upper"), ("tpr_at_1pct_fpr_lower", "fpr_upper_at_1pct_fpr"),
          ("tpr_at_01pct_fpr_lower", "fpr_upper_at_01pct_fpr"))  # fmt: skip


def dp_violations(risk: Figure | None, spent: Spending) -> Figure:
    """How many attacks of the figure MI exceed what this training's releases allow; without MI there is no value."""
    if risk is None or risk.value is None:
        reason = "no attack was run" if risk is None else f"no attack could be read: {risk.reason}"
        return Figure(name="dp_violations", label="dp_violations", value=None, reason=reason)
    from synthspec.metrics import ATTACKS  # it loads numpy, which a run that is refused does not need

    allowed = trade_off(spent.event, spent.spend.eps, spent.spend.delta, spent.spend.adjacency)
    made = {key.partition(".")[0] for key, _ in risk.details}
    tried = [name for name in ATTACKS if name in made]
    found = [name for name in tried if any(_exceeded(name, risk, allowed))]
    return Figure(
        name="dp_violations",
        label=f"attacks beyond what eps allows[limits at 1 - 0.05/{len(tried)}]",
        value=float(len(found)),
        method="exact",
        n_real=risk.n_real,
        n_syn=risk.n_syn,
        details=(
            ("attacks", len(tried)),
            ("beyond", ", ".join(found)),
            ("advantage_allowed", allowed.advantage),
            ("auc_allowed", allowed.auc),
            ("tpr_at_1pct_fpr_allowed", allowed.hits(0.01)),
            ("tpr_at_01pct_fpr_allowed", allowed.hits(0.001)),
        ),
    )


def _exceeded(name: str, risk: Figure, allowed: TradeOff) -> Iterator[bool]:
    """Whether each number of the attack `name` lies beyond its bound."""
    given = {key.removeprefix(f"{name}."): value for key, value in risk.details if key.startswith(f"{name}.")}

    def number(key: str) -> float | None:
        value = given.get(key)
        return float(value) if isinstance(value, int | float) else None

    for key, most in (("lower", allowed.advantage), ("auc_lower", allowed.auc)):
        reached = number(key)
        yield reached is not None and reached > most
    for hits, alarms in _RATES:
        reached, false = number(hits), number(alarms)
        yield reached is not None and false is not None and reached > allowed.hits(false)
