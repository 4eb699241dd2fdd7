"""`manifest.synth.schema`: what binding found, and what it did to records that the schema does not allow (Ch. 3, P403-2)."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from synthspec.ir.manifest_base import Count, Group, Real

Share = Annotated[Real, Field(ge=0, le=1)]


class BoundField(Group):
    """One field: its column at the source, its gaps, and what became of records without a value or outside its enum."""

    name: str
    column: str
    """Empty where records were numbered."""
    required: bool
    gaps: Count
    on_gap: Literal["refuse", "keep", "drop", "impute"]
    dropped_gaps: Count | None = None
    filled_with: str | None = None
    """mean, median or mode of the training split, or constant; and the value, where it is one."""
    on_unknown: str | None = None
    """refuse, drop, or the member that such values became; left out where there is no enum."""
    dropped_unknown: Count | None = None
    moved_unknown: Count | None = None
    unseen: tuple[str, ...] | None = None
    """Members of the enum that no record has."""


class ForeignKey(Group):
    """One foreign key: what it points to in the reference data, and in what is released."""

    field: str
    references: str
    """table.column"""
    source: str
    keys: Count
    """Records of the referred table."""
    used: Count
    checked: Count
    unmatched: Count
    share: Share
    """Of the checked records."""
    worst: tuple[str, ...]
    policy: Literal["refuse", "drop", "keep"]
    released: Literal["learned", "train", "uniform"]
    """How released records got theirs: learned as content, as many a key as in training, or any key alike."""
    released_used: Count | None = None
    released_unmatched: Count | None = None


class SchemaGroup(Group):
    """The report of the binding. S403-1 stands beside it, in `dataset`."""

    read: Count
    rows: Count
    """Records that were kept."""
    dropped: Count
    pk: tuple[str, ...]
    pk_unique: bool | None = None
    """Left out where no key is declared."""
    numbered: bool
    alias_map: Mapping[str, str]
    """Field by the name that the source has for it, where that is another one."""
    unmapped: tuple[str, ...]
    fields: tuple[BoundField, ...]
    foreign_keys: tuple[ForeignKey, ...] | None = None
