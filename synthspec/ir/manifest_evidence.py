"""Metrics and contracts inside the manifest, and the way there and back (App B, App C, App D)."""

import math
from collections.abc import Mapping
from typing import Literal

from synthspec.ir.evidence import Evidence, Figure, Split, evidence
from synthspec.ir.manifest_base import Count, Group, Real, Scalar
from synthspec.ir.verdict import (
    Bound,
    BoundRecord,
    ContractId,
    ContractRecord,
    ContractSeverity,
    Gate,
    JudgedAt,
    Relation,
    Result,
    Verdicts,
)


class Metric(Group):
    """One `Figure`. NaN is written as an absent value with its reason; infinities are kept."""

    name: str
    label: str
    value: Real | None = None
    unit: str
    u: Real | None = None
    lower: Real | None = None
    upper: Real | None = None
    method: str
    n_real: Count | None = None
    n_syn: Count | None = None
    split: Split | None = None
    null: Real | None = None
    details: Mapping[str, Scalar]
    reason: str


class BoundEntry(Group):
    """One inequality of a contract, its limit, and what became of it."""

    metric: str
    relation: Relation
    limit: Real
    unit: str
    at: JudgedAt
    symbol: str
    split: Split | None = None
    result: Result
    judged: Real | None = None
    value: Real | None = None
    u: Real | None = None
    n_real: Count | None = None
    n_syn: Count | None = None
    label: str
    reason: str


class ContractEntry(Group):
    """One of C40-511..519 (App B superset)."""

    id: ContractId
    name: str
    expr: str
    severity: ContractSeverity
    result: Result
    bounds: tuple[BoundEntry, ...]
    tol_source: str
    action_plan: str
    reason: str
    evidence_ref: str | None = None
    """The subject that holds the figures."""


class GateEntry(Group):
    """The publication gate (Preface); the fourth condition, the signature, is the envelope's."""

    fidelity_ok: bool
    privacy_ok: bool
    contract_ok: bool


Verdict = Literal["PASS", "FAIL"]


def _real(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def from_evidence(found: Evidence) -> tuple[Metric, ...]:
    """All figures, in the order of `found`.

    Raises:
        ValueError: a figure states one detail twice.

    """
    return tuple(_metric(figure) for figure in found.figures)


def _metric(figure: Figure) -> Metric:
    details = dict(figure.details)
    if len(details) != len(figure.details):
        raise ValueError(f"{figure.name} states a detail twice")
    nan = figure.value is not None and math.isnan(figure.value)
    return Metric(
        name=figure.name,
        label=figure.label,
        value=_real(figure.value),
        unit=figure.unit,
        u=_real(figure.u),
        lower=_real(figure.lower),
        upper=_real(figure.upper),
        method=figure.method,
        n_real=figure.n_real,
        n_syn=figure.n_syn,
        split=figure.split,
        null=_real(figure.null),
        details={
            key: str(item) if isinstance(item, float) and math.isnan(item) else item for key, item in details.items()
        },
        reason=figure.reason or ("the value is not a number" if nan else ""),
    )


def to_evidence(metrics: tuple[Metric, ...]) -> Evidence:
    """The evidence as it was signed; details come back sorted by key.

    Raises:
        ValueError: two metrics claim the same name.

    """
    return evidence(tuple(_figure(metric) for metric in metrics))


def _figure(metric: Metric) -> Figure:
    named = {name: getattr(metric, name) for name in Metric.model_fields if name != "details"}
    return Figure(**named, details=tuple(sorted(metric.details.items())))


def from_verdicts(verdicts: Verdicts, evidence_ref: str | None = None) -> tuple[ContractEntry, ...]:
    """Every record of `verdicts`; `evidence_ref` names the subject with the figures."""
    return tuple(_contract(record, evidence_ref) for record in verdicts.records)


def _contract(record: ContractRecord, evidence_ref: str | None) -> ContractEntry:
    return ContractEntry(
        id=record.id,
        name=record.name,
        expr=record.expr,
        severity=record.severity,
        result=record.result,
        bounds=tuple(_bound(each) for each in record.bounds),
        tol_source=record.tol_source,
        action_plan=record.action_plan,
        reason=record.reason,
        evidence_ref=evidence_ref,
    )


def _bound(record: BoundRecord) -> BoundEntry:
    bound = record.bound
    return BoundEntry(
        metric=bound.metric,
        relation=bound.relation,
        limit=bound.limit,
        unit=bound.unit,
        at=bound.at,
        symbol=bound.symbol,
        split=bound.split,
        result=record.result,
        judged=_real(record.judged),
        value=_real(record.value),
        u=_real(record.u),
        n_real=record.n_real,
        n_syn=record.n_syn,
        label=record.label,
        reason=record.reason,
    )


def to_records(entries: tuple[ContractEntry, ...]) -> tuple[ContractRecord, ...]:
    """The records as they were signed, in their order."""
    return tuple(
        ContractRecord(
            id=entry.id,
            name=entry.name,
            expr=entry.expr,
            severity=entry.severity,
            result=entry.result,
            bounds=tuple(_bound_record(each) for each in entry.bounds),
            tol_source=entry.tol_source,
            action_plan=entry.action_plan,
            reason=entry.reason,
        )
        for entry in entries
    )


def _bound_record(entry: BoundEntry) -> BoundRecord:
    bound = Bound(
        metric=entry.metric,
        relation=entry.relation,
        limit=entry.limit,
        unit=entry.unit,
        at=entry.at,
        symbol=entry.symbol,
        split=entry.split,
    )
    return BoundRecord(
        bound=bound,
        result=entry.result,
        judged=entry.judged,
        value=entry.value,
        u=entry.u,
        n_real=entry.n_real,
        n_syn=entry.n_syn,
        label=entry.label,
        reason=entry.reason,
    )


def from_gate(gate: Gate) -> GateEntry:
    """The gate as its three conditions."""
    return GateEntry(fidelity_ok=gate.fidelity_ok, privacy_ok=gate.privacy_ok, contract_ok=gate.contract_ok)


def verdict_of(gate: Gate) -> Verdict:
    """The first word of the manifest."""
    return "PASS" if gate.passed else "FAIL"
