"""The contracts of a spec with their numbers: one promise for each of C40-511..519, owed or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from synthspec.contracts import CONTRACTS, Contract, Setting, limits, setting
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.verdict import Bound, ContractId, ContractSeverity, JudgedAt, Promise, Relation
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
    for name, owner, relation, at, tightest in KEPT:
        limits = [limit for keep in kept if (limit := getattr(keep, name)) is not None]
        if limits:
            yield owner, Bound(metric=name, relation=relation, limit=tightest(limits), at=at, symbol=f"keep.{name}")


KEPT: tuple[tuple[str, ContractId, Relation, JudgedAt, Callable[[Sequence[float]], float]], ...] = (
    ("FID_ratio", "C40-511", "<=", "upper", min),
    ("KID_delta", "C40-511", "<=", "upper", min),
    ("covg_delta", "C40-515", ">=", "lower", max),
)
"""P405-10: figures against the teacher, the contract that bounds them, and which of several limits binds."""


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
