"""The contracts of a spec with their numbers: one promise for each of C40-511..519, owed or not."""

from __future__ import annotations

from synthspec.contracts import CONTRACTS, Contract, Setting, limits, setting
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.verdict import ContractSeverity, Promise
from synthspec.spec.evaluation import Contract as Declared
from synthspec.spec.evaluation import Contracts, declared


def promises(resolved: ResolvedSpec) -> tuple[Promise, ...]:
    """All nine promises, in the standard's order."""
    stated = declared(resolved.spec.contracts or Contracts())
    where = setting(resolved)
    return tuple(_promise(contract, stated.get(contract.id), where) for contract in CONTRACTS)


def _promise(contract: Contract, stated: Declared | None, where: Setting) -> Promise:
    if stated is None:
        severity: ContractSeverity = "info" if contract.not_owed(where) else "block"
        return contract.promise(where, {}, severity=severity)
    return contract.promise(
        where,
        limits(contract, stated),
        severity=stated.severity,
        tol_source=stated.tol_source,
        action_plan=stated.action_plan or "",
    )
