"""What a spec states of a contract, and what decides which contracts it owes: the surface language in contract terms."""

from __future__ import annotations

from synthspec.contracts.form import Contract, Setting
from synthspec.ir.resolved import ResolvedSpec
from synthspec.spec.evaluation import Contract as Declared
from synthspec.units import Quantity


def setting(resolved: ResolvedSpec) -> Setting:
    """What decides which contracts a spec owes."""
    spec = resolved.spec
    return Setting(
        family=spec.engine.family,
        modality=resolved.schema.modality,
        mechanism=spec.privacy is not None and spec.privacy.mechanism not in ("none", None),
        accelerated=bool(spec.acceleration),
        time=bool(resolved.schema.with_role("time")),
        arrival=spec.arrival is not None,
    )


def limits(contract: Contract, declared: Declared) -> dict[str, float]:
    """The thresholds that `declared` states, by symbol, each in the unit of its term (``SLO_latency`` in ms)."""
    units = {term.symbol: term.unit for term in contract.terms if term.symbol}
    found = ((symbol, _number(getattr(declared, symbol, None), unit)) for symbol, unit in units.items())
    return {symbol: number for symbol, number in found if number is not None}


def _number(value: object, unit: str) -> float | None:
    if isinstance(value, Quantity):
        return value.to(unit)
    return float(value) if isinstance(value, (int, float)) else None
