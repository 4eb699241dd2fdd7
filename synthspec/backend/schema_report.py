"""The report of the binding: which field was found under which name, and what it holds (Ch. 3, S403-1)."""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA_REPORT = "schema_report.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldReport:
    """One field that a source can have."""

    name: str
    column: str
    """Its name at the source; empty where records were numbered."""
    required: bool
    """Whether a record without it is refused."""
    dtype: str
    unit: str
    gaps: int
    """Records without a value; those that were refused are in no report."""
    unseen: tuple[str, ...] = ()
    """Members of the enum that no record has; the first ones, where there are many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaReport:
    """What binding found. Values that the schema does not allow, two records of one key and the like stopped it."""

    rows: int
    cov_schema: float
    """S403-1: fields that the source has, by fields that it could have; derived ones are computed."""
    cov_req: float
    """S403-1, of the required fields."""
    fields: tuple[FieldReport, ...]
    pk: tuple[str, ...]
    """The fields that are unique together (P403-2); empty where none are declared."""
    numbered: bool
    """Whether the key was given by counting."""
    unmapped: tuple[str, ...]
    """Columns of the source that no field takes; the first ones, where there are many."""
