"""Content-addressed artifacts and the run ledger: a crash at any moment loses at most the node that was being made."""

from synthspec.store.errors import StoreError
from synthspec.store.journal import Entry, Journal
from synthspec.store.record import Record, StoredFile
from synthspec.store.store import Store

__all__ = ["Entry", "Journal", "Record", "Store", "StoreError", "StoredFile"]
