"""Promises and evidence to verdicts and the publication gate (section VI; Preface: fidelity, privacy, contract)."""

from __future__ import annotations

from synthspec.contracts import CONTRACTS
from synthspec.contracts.gate import gate_of, result_of
from synthspec.ir.evidence import Evidence
from synthspec.ir.verdict import BoundRecord, ContractRecord, Promise, Result, Verdicts
from synthspec.judge.bound import judge_bound


def judge(promises: tuple[Promise, ...], evidence: Evidence) -> Verdicts:
    """Judge every promise by the evidence alone. Pure and total: no input raises, no missing number is held.

    The records follow the order of the standard. A contract that nobody spoke of, neither promised nor excused, is an
    unproven record that blocks: leaving a promise out must not open the gate.
    """
    records = tuple(
        record
        for contract in CONTRACTS
        for record in [_judge_promise(p, evidence) for p in promises if p.id == contract.id]
        or [_unspoken(Promise(id=contract.id, name=contract.name, expr=contract.expr, severity="block", bounds=()))]
    )
    return Verdicts(records=records, gate=gate_of(records))


def _judge_promise(promise: Promise, evidence: Evidence) -> ContractRecord:
    if promise.not_owed and not promise.bounds:
        return ContractRecord(
            id=promise.id,
            name=promise.name,
            expr=promise.expr,
            severity="info",
            result="unproven",
            bounds=(),
            tol_source=promise.tol_source,
            action_plan=promise.action_plan,
            reason=promise.not_owed,
        )
    bounds = tuple(judge_bound(bound, evidence) for bound in promise.bounds)
    result = result_of(bounds)
    return ContractRecord(
        id=promise.id,
        name=promise.name,
        expr=promise.expr,
        severity=promise.severity,
        result=result,
        bounds=bounds,
        tol_source=promise.tol_source,
        action_plan=promise.action_plan,
        reason=_reason(result, bounds),
    )


def _unspoken(promise: Promise) -> ContractRecord:
    return ContractRecord(
        id=promise.id,
        name=promise.name,
        expr=promise.expr,
        severity=promise.severity,
        result="unproven",
        bounds=(),
        tol_source="",
        action_plan="",
        reason="the plan carries no promise of this contract",
    )


def _reason(result: Result, bounds: tuple[BoundRecord, ...]) -> str:
    """The sentences behind a result that is not held."""
    if result == "held":
        return ""
    if not bounds:
        return "no bound was stated"
    said = [_sentence(record) for record in bounds if record.result != "held"]
    return "; ".join(said)


def _sentence(record: BoundRecord) -> str:
    if record.result == "broken":
        bound = record.bound
        against = "exceeds" if bound.relation == "<=" else "falls short of"
        return f"{bound.metric} at {bound.at} {record.judged:.6g} {against} {bound.limit:.6g}"
    return record.reason
