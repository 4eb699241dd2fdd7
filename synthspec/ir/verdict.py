"""Promises and verdicts: contracts with their numbers, and what the evidence says of each (section VI, App C)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ContractId = Literal["C40-511", "C40-512", "C40-513", "C40-514", "C40-515", "C40-516", "C40-517", "C40-518", "C40-519"]
ContractSeverity = Literal["info", "warn", "block"]
Result = Literal["held", "broken", "unproven"]
Relation = Literal["<=", ">="]
JudgedAt = Literal["upper", "lower", "value", "value+u"]
"""Which number of a figure is compared with the limit; ``value+u`` is C40-511's ``KID_mean + se`` (z = 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One inequality with its number: ``FID <= 60`` judged at the upper confidence bound."""

    metric: str
    relation: Relation
    limit: float
    unit: str = "1"
    at: JudgedAt
    symbol: str = ""
    """The standard's symbol of the limit (``tol_FID``); empty for a constant of the standard."""
    split: Literal["train", "val", "test"] | None = None
    """The split the figure must have been measured on; another one leaves the bound unproven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A contract as a spec states it. A contract that the spec does not owe has no bounds and says why in `not_owed`."""

    id: ContractId
    name: str
    expr: str
    severity: ContractSeverity
    bounds: tuple[Bound, ...]
    tol_source: str = "stated"
    action_plan: str = ""
    not_owed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRecord:
    """What became of one bound."""

    bound: Bound
    result: Result
    judged: float | None = None
    """The number that was compared with the limit."""
    value: float | None = None
    u: float | None = None
    n_real: int | None = None
    n_syn: int | None = None
    label: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRecord:
    """What became of one contract: broken if a bound is, held if all are, unproven otherwise (also when it has none)."""

    id: ContractId
    name: str
    expr: str
    severity: ContractSeverity
    result: Result
    bounds: tuple[BoundRecord, ...]
    tol_source: str
    action_plan: str
    reason: str = ""

    @property
    def blocks(self) -> bool:
        """True when this record closes the publication gate."""
        return self.severity == "block" and self.result != "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The publication gate: ``fidelity_ok and privacy_ok and contract_ok`` (Preface); the signature is checked by verify."""

    fidelity_ok: bool
    privacy_ok: bool
    contract_ok: bool

    @property
    def passed(self) -> bool:
        return self.fidelity_ok and self.privacy_ok and self.contract_ok


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """One record for each of C40-511..519, in order, and the gate that follows from them."""

    records: tuple[ContractRecord, ...]
    gate: Gate
