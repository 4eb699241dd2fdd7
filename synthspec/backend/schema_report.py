"""The report of the binding: which field was found under which name, and what it holds (Ch. 3, S403-1)."""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA_REPORT = "schema_report.json"
REFERENCES = "references.safetensors"
"""The keys of referred tables, as the columns of the foreign keys hold them; beside the data."""
IMPUTE_REPORT = "impute.json"
REFER_REPORT = "refer.json"
FILL_REPORT = "fill.json"


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
    """Records without a value among those that were kept."""
    unseen: tuple[str, ...] = ()
    """Members of the enum that no record has; the first ones, where there are many."""
    on_gap: str = "refuse"
    """What became of a record without a value: refuse, keep (nullable), drop or impute."""
    dropped_gaps: int = 0
    on_unknown: str = ""
    """What became of a value outside the enum: refuse, drop, or the member that it became; empty without an enum."""
    dropped_unknown: int = 0
    moved_unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKeyReport:
    """What a foreign key was found to point to (P403-2)."""

    field: str
    table: str
    column: str
    source: str
    keys: int
    """Records of the referred table."""
    used: int
    """Of these, how many some record points to."""
    checked: int
    """Records with a value."""
    unmatched: int
    share: float
    """Of the checked ones."""
    worst: tuple[str, ...]
    """Where the first unmatched ones stand, with their values."""
    policy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaReport:
    """What binding found. Values that the schema does not allow, two records of one key and the like stopped it."""

    rows: int
    """Records that were kept."""
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
    read: int = 0
    """Records of the source."""
    dropped: int = 0
    """Records that a policy left out; one may have had several faults."""
    foreign_keys: tuple[ForeignKeyReport, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What one field's gaps were filled with."""

    field: str
    how: str
    """mean, median or mode of the training split, or constant."""
    values: tuple[str, ...]
    """What was filled in; empty for a field with axes, each number of which has its own."""
    filled: int
    """Records that lacked a value."""
    filled_train: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputeReport:
    """The gaps that were filled."""

    fields: tuple[Filled, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FillReport:
    """What gaps are filled with by noisy counts, as the columns hold it."""

    values: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeKeys:
    """The values that made records have for one foreign key."""

    field: str
    table: str
    law: str
    """train: as many records a key as in training; uniform: any key with the same chance."""
    keys: int
    used: int
    gaps: int
    most: int
    """Records of the key that has most."""
    unmatched: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferReport:
    """The foreign keys of what is published (P403-2)."""

    keys: tuple[MadeKeys, ...]
