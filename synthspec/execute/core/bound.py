"""A source that was bound to its schema, as far as later steps and the report need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synthspec.backend.dataset import Column
from synthspec.execute.core.conserve import Conserving
from synthspec.execute.core.policing import Policing
from synthspec.execute.core.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What was read of a source: `columns` of all its records, and where each of these stands."""

    columns: dict[str, Column]
    names: Mapping[str, str]
    """Column of the source by field; a field that was numbered has none."""
    others: tuple[str, ...]
    rows: int
    places: Table
    """No columns: the name of the source, and where its records stand."""
    conserving: Conserving
    policing: Policing
