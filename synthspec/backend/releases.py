"""What a training released of private records: counted where the noise is added, accounted for from that count (P405-4)."""

from __future__ import annotations

from dataclasses import dataclass

from synthspec.accounting import Adjacency, Composed, Event, PoissonGaussian

PRIVACY_RECORD = "privacy.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One way in which something looked at private records, and what that costs."""

    what: str
    charge: str
    """``ledger``: in the count of releases. ``none``: with the reason why it costs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyRecord:
    """S405-8 as it ran. Beside the commitment everything here is a public constant: no count of records, no norm, no loss."""

    mechanism: str
    releases: int
    """Noisy sums that left the mechanism, empty batches included: the steps that count."""
    planned: int
    rate: float
    multiplier: float
    """sigma, in units of `clip_norm`."""
    clip_norm: float
    normalizer: float
    """The public constant that noisy sums are divided by."""
    unit: str
    adjacency: Adjacency
    engine: str
    """``book-keeping`` or ``one-by-one``: how per-record gradients were made."""
    rng: str
    hardening: str
    """What is done about the finite precision of the noise."""
    commitment: str
    """HMAC-SHA256 of the secret seed under a secret salt, in hex."""
    accesses: tuple[Access, ...] = ()

    @property
    def event(self) -> Event:
        """The releases as an accountant takes them."""
        if not self.releases:
            return Composed()
        return PoissonGaussian(self.rate, self.multiplier, self.releases)
