"""The contracts of a spec with their numbers: one promise for each of C40-511..519, owed or not."""

from __future__ import annotations

from synthspec.contracts import CONTRACTS, Contract, Setting
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.verdict import ContractSeverity, Promise
from synthspec.spec.evaluation import Contract as Declared
from synthspec.spec.evaluation import Contracts, declared
from synthspec.units import Quantity


def setting(resolved: ResolvedSpec) -> Setting:
    """What decides which contracts a spec owes."""
    spec = resolved.spec
    return Setting(
        family=spec.engine.family,
        modality=resolved.schema.modality,
        mechanism=spec.privacy is not None and spec.privacy.mechanism not in ("none", None),
        time=bool(resolved.schema.with_role("time")),
        arrival=spec.arrival is not None,
    )


def promises(resolved: ResolvedSpec) -> tuple[Promise, ...]:
    """All nine promises, in the standard's order."""
    stated = declared(resolved.spec.contracts or Contracts())
    where = setting(resolved)
    return tuple(_promise(contract, stated.get(contract.id), where) for contract in CONTRACTS)


def _promise(contract: Contract, stated: Declared | None, where: Setting) -> Promise:
    if stated is None:
        severity: ContractSeverity = "info" if contract.not_owed(where) else "block"
        return contract.promise(where, {}, severity=severity)
    units = {term.symbol: term.unit for term in contract.terms if term.symbol}
    limits = {symbol: number for symbol in units if (number := _number(stated, symbol, units[symbol])) is not None}
    return contract.promise(
        where, limits, severity=stated.severity, tol_source=stated.tol_source, action_plan=stated.action_plan or ""
    )


def _number(stated: Declared, symbol: str, unit: str) -> float | None:
    """The threshold `symbol` in the unit that the figure has, or None where it is not stated."""
    value = getattr(stated, symbol, None)
    if isinstance(value, Quantity):
        return value.to(unit)
    return None if value is None else float(value)
