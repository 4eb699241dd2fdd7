"""The ledger: releases on the same data spend one budget (P405-4). A database, and the only door to `sqlalchemy`."""

from __future__ import annotations

from synthspec.ledger.account import Account, Entry, LedgerError, OverBudgetError, Total
from synthspec.ledger.book import Ledger

__all__ = ["Account", "Entry", "Ledger", "LedgerError", "OverBudgetError", "Total"]
