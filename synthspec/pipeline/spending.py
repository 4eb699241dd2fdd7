"""What a run spent of its privacy budget, from the releases that its training counted (P405-4, C40-516)."""

from __future__ import annotations

from dataclasses import dataclass

from synthspec.accounting import Spend, available, eps_total, quick_bound
from synthspec.backend.protocol import Artifact
from synthspec.backend.releases import PRIVACY_RECORD, PrivacyRecord, ReleaseRecord, VoteRecord, read_record
from synthspec.ir.evidence import Figure
from synthspec.ir.manifest_engine import DpSpend, LedgerRef
from synthspec.ir.ops import Fit
from synthspec.ir.privacy import accountant_of
from synthspec.spec.privacy import DpSgd, Pate


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What was released, and what that costs."""

    record: ReleaseRecord
    spend: Spend
    """Of this training alone."""
    held: LedgerRef | None = None
    """What the ledger says of all releases of the data up to this one."""

    @property
    def eps_total(self) -> float:
        """Of everything that was released of the data so far."""
        return self.spend.eps if self.held is None else self.held.eps_total

    @property
    def delta_total(self) -> float:
        return self.spend.delta if self.held is None else self.held.delta_total

    def figures(self) -> tuple[Figure, ...]:
        """`eps_total` and `delta_total`, the upper bounds that C40-516 judges."""
        spend, record = self.spend, self.record
        details = (
            ("accountant", spend.accountant),
            ("accountant_version", spend.version),
            ("adjacency", spend.adjacency),
            ("releases", record.releases),
            ("unit", record.unit),
            *(() if self.held is None else (("ledger", self.held.name), ("eps_alone", spend.eps))),
        )
        label = f"eps[{spend.accountant}, {spend.adjacency}, delta={spend.delta:g}]"
        return (
            Figure(
                name="eps_total",
                label=label,
                value=self.eps_total,
                upper=self.eps_total,
                method="exact",
                details=details,
            ),
            Figure(name="delta_total", label="delta", value=self.delta_total, upper=self.delta_total, method="exact"),
        )

    def entry(self) -> DpSpend:
        """App C `privacy.dp`."""
        spend, record = self.spend, self.record
        sums = record if isinstance(record, PrivacyRecord) else None
        asked = record if isinstance(record, VoteRecord) else None
        return DpSpend(
            eps_total=self.eps_total,
            delta_total=self.delta_total,
            accounting_method=f"{spend.accountant} ({spend.version})",
            adjacency=spend.adjacency,
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
            ledger=self.held,
            accesses={access.what: access.charge for access in record.accesses},
        )


def spending(fit: Fit, artifact: Artifact, held: LedgerRef | None = None) -> Spending | None:
    """What the training `fit`, which made `artifact`, spent; None without a record of releases.

    The delta, the accountant and the adjacency are those of the spec; everything else is what ran.
    """
    block = fit.privacy
    if PRIVACY_RECORD not in artifact.files or not isinstance(block, DpSgd | Pate):
        return None
    record = read_record(artifact.path(PRIVACY_RECORD))
    delta, accountant = block.delta or 0.0, accountant_of(block) or "pld"
    if available() or accountant == "analytic":
        spend = eps_total(record.event, delta, accountant, record.adjacency)
    else:
        spend = quick_bound(record.event, delta, record.adjacency)
    return Spending(record=record, spend=spend, held=held)
