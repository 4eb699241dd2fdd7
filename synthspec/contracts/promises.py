"""The contracts of a spec with their numbers: one promise for each of C40-511..519, owed or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from synthspec.contracts import CONTRACTS
from synthspec.contracts.form import Contract, Setting
from synthspec.contracts.stated import limits, setting
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.verdict import Bound, ContractId, ContractSeverity, Promise
from synthspec.spec.evaluation import Contract as Declared
from synthspec.spec.evaluation import Contracts, declared


def promises(resolved: ResolvedSpec) -> tuple[Promise, ...]:
    """All nine promises, in the standard's order."""
    stated = declared(resolved.spec.contracts or Contracts())
    where, kept = setting(resolved), tuple(_kept(resolved))
    made = (_promise(contract, stated.get(contract.id), where) for contract in CONTRACTS)
    return tuple(
        replace(each, bounds=(*each.bounds, *(bound for owner, bound in kept if owner == each.id))) for each in made
    )


def _kept(resolved: ResolvedSpec) -> Iterator[tuple[ContractId, Bound]]:
    """What accelerations must keep of the trained engine: bounds of the contract that has the figure, the tightest one."""
    kept = [how.keep for how in resolved.spec.acceleration if how.keep is not None]
    for owner in CONTRACTS:
        for term in owner.kept:
            limits = [limit for keep in kept if (limit := getattr(keep, term.metric)) is not None]
            tightest = min if term.relation == "<=" else max
            bound = term.bind({term.symbol: tightest(limits)}) if limits else None
            if bound is not None:
                yield owner.id, bound


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
