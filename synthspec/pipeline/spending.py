"""What a run spent of its privacy budget, from the releases that its training counted (P405-4, C40-516)."""

from __future__ import annotations

from dataclasses import dataclass

from synthspec.accounting import Composed, Event, Spend, available, eps_total, quick_bound
from synthspec.backend.releases import (
    PRIVACY_RECORD,
    PrivacyRecord,
    ReleaseRecord,
    StatisticsRecord,
    VoteRecord,
    read_record,
)
from synthspec.execute import Execution
from synthspec.ir.evidence import Figure
from synthspec.ir.manifest_engine import AuditEvidence, DpSpend, LedgerRef, NoisyVector
from synthspec.ir.ops import Fit, Statistics
from synthspec.ir.plan import Plan
from synthspec.ir.privacy import accountant_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the ledger says of all releases of the data up to one: its entry there, and what they come to by its accountant."""

    name: str
    entry: int
    releases: int
    spend: Spend


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What was released, and what that costs."""

    record: ReleaseRecord
    spend: Spend
    """Of this training alone, with the statistics that were released beside it."""
    beside: StatisticsRecord | None = None
    """Statistics that were released beside a private training."""
    held: Held | None = None
    """What the ledger says of all releases of the data up to this one."""

    @property
    def total(self) -> Spend:
        """Of everything that was released of the data so far, by whoever composed it: the ledger's own accountant and
        delta, which the first release fixed, where there is a ledger.
        """
        return self.spend if self.held is None else self.held.spend

    @property
    def event(self) -> Event:
        """Everything that this run released, as an accountant takes it."""
        return _event(self.record, self.beside)

    @property
    def statistics(self) -> StatisticsRecord | None:
        """The noisy statistics among what was released."""
        return self.record if isinstance(self.record, StatisticsRecord) else self.beside

    def figures(self) -> tuple[Figure, ...]:
        """`eps_total` and `delta_total`, the upper bounds that C40-516 judges."""
        total, record = self.total, self.record
        details = (
            ("accountant", total.accountant),
            ("accountant_version", total.version),
            ("adjacency", total.adjacency),
            ("releases", record.releases),
            *(() if self.beside is None else (("releases_beside", self.beside.releases),)),
            ("unit", record.unit),
            *self._alone(),
        )
        label = f"eps[{total.accountant}, {total.adjacency}, delta={total.delta:g}]"
        return (
            Figure(name="eps_total", label=label, value=total.eps, upper=total.eps, method="exact", details=details),
            Figure(name="delta_total", label="delta", value=total.delta, upper=total.delta, method="exact"),
        )

    def _alone(self) -> tuple[tuple[str, str | float], ...]:
        """What this training spent by itself, where the figure is that of a ledger."""
        if self.held is None:
            return ()
        return (("ledger", self.held.name), ("eps_alone", self.spend.eps), ("accountant_alone", self.spend.accountant))

    def entry(self, audited: AuditEvidence | None = None) -> DpSpend:
        """App C `privacy.dp`, with what an audit of the mechanism found."""
        total, record = self.total, self.record
        sums = record if isinstance(record, PrivacyRecord) else None
        asked = record if isinstance(record, VoteRecord) else None
        return DpSpend(
            eps_total=total.eps,
            delta_total=total.delta,
            accounting_method=f"{total.accountant} ({total.version})",
            adjacency=total.adjacency,
            unit=record.unit,
            noise_multiplier=record.multiplier,
            clip_norm=None if sums is None else sums.clip_norm,
            sampling_rate=None if sums is None else sums.rate,
            steps=record.releases,
            normalizer=None if sums is None else sums.normalizer,
            teachers=None if asked is None else asked.teachers,
            aggregation=None if asked is None else asked.aggregation,
            rng=record.rng,
            hardening=record.hardening,
            seed_commitment=record.commitment,
            ledger=self._ledger(),
            statistics=self._vectors(),
            accesses={access.what: access.charge for each in self._records for access in each.accesses},
            audit=audited,
        )

    def _ledger(self) -> LedgerRef | None:
        held = self.held
        if held is None:
            return None
        return LedgerRef(
            name=held.name,
            entry=held.entry,
            releases=held.releases,
            eps_total=held.spend.eps,
            delta_total=held.spend.delta,
        )

    @property
    def _records(self) -> tuple[ReleaseRecord, ...]:
        return (self.record,) if self.beside is None else (self.beside, self.record)

    def _vectors(self) -> tuple[NoisyVector, ...] | None:
        found = self.statistics
        if found is None:
            return None
        return tuple(
            NoisyVector(name=each.name, parts=each.parts, size=each.size, sigma=each.sigma, commitment=found.commitment)
            for each in found.made
        )


def spending(plan: Plan, execution: Execution, held: Held | None = None) -> Spending | None:
    """What the run `execution` of `plan` spent; None without a mechanism, or without a record of releases.

    The delta, the accountant and the adjacency are those of the spec; everything else is what ran.
    """
    block = plan.private
    nodes = [execution.node(node.id) for node in plan.nodes if isinstance(node.op, Statistics | Fit)]
    found = [read_record(node.artifact.path(PRIVACY_RECORD)) for node in nodes if PRIVACY_RECORD in node.artifact.files]
    if block is None or not found:
        return None
    *before, record = found
    beside = next((each for each in before if isinstance(each, StatisticsRecord)), None)
    event = _event(record, beside)
    delta, accountant = block.delta or 0.0, accountant_of(block) or "pld"
    if available() or accountant == "analytic":
        spend = eps_total(event, delta, accountant, record.adjacency)
    else:
        spend = quick_bound(event, delta, record.adjacency)
    return Spending(record=record, spend=spend, beside=beside, held=held)


def _event(record: ReleaseRecord, beside: StatisticsRecord | None) -> Event:
    return record.event if beside is None else Composed((beside.event, record.event))
