"""What a ledger holds: accounts, the releases that are entered in them, and what these come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from synthspec.accounting import Adjacency, Event, Spend
from synthspec.accounting.spend import Accountant

State = Literal["reserved", "spent"]


class LedgerError(Exception):
    """The ledger cannot be used as asked: what is wrong, and what to do."""

    def __init__(self, message: str, help_text: str) -> None:
        super().__init__(message)
        self.message, self.help = message, help_text


class OverBudgetError(LedgerError):
    """What is planned does not fit into what is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One budget for everything that is released of some data. `accountant` composes it, at `delta_budget`."""

    name: str
    adjacency: Adjacency
    unit: str
    accountant: Accountant
    eps_budget: float
    delta_budget: float
    opened_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One release, planned (``reserved``) or done (``spent``). Digests are SHA-256 in hex, empty where not known."""

    id: int = 0
    account: str
    state: State = "reserved"
    dataset: str
    event: Event
    note: str = ""
    spec: str = ""
    plan: str = ""
    commitment: str = ""
    manifest: str = ""
    holder: str = ""
    meter: str = ""
    made_at: str = ""
    settled_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """All entries of an account composed. eps is infinite where one of them has no bound."""

    spend: Spend
    entries: int

    @property
    def eps(self) -> float:
        return self.spend.eps

    @property
    def delta(self) -> float:
        return self.spend.delta

    @property
    def accountant(self) -> str:
        """Whose figure it is."""
        return self.spend.accountant
