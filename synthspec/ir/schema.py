"""The bound schema: an SRef whose units, dimensions and expressions are understood. What the ops carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from synthspec.spec.sref import Dtype, Member, Modality, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. `unit` is the canonical spelling (empty for a field without one); `range` is in that unit."""

    name: str
    role: Role
    dtype: Dtype
    shape: tuple[int, ...] = ()
    unit: str = ""
    dimension: str = ""
    nullable: bool = False
    enum: tuple[Member, ...] = ()
    range: tuple[float, float] | None = None
    resolution: float | None = None
    expr: str = ""
    transform: Literal["", "linear", "log", "standard", "quantile"] = ""
    """How an engine puts it before its network; empty where it does as it does. Known to what trains alone."""

    @property
    def size(self) -> int:
        """Numbers a record holds in this field."""
        total = 1
        for length in self.shape:
            total *= length
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A constraint of the SRef in canonical text; its dimensions were checked."""

    id: str
    expr: str
    severity: Literal["info", "warn", "block"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What the data are: fields in the order written, keys, names at the source, rules."""

    modality: Modality
    fields: tuple[Field, ...]
    pk: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    """(name at the source, field name)."""
    rules: tuple[Rule, ...] = ()

    def field(self, name: str) -> Field:
        """The field called `name`. Raises KeyError when there is none: the spec was checked before."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def with_role(self, role: Role) -> tuple[Field, ...]:
        """The fields that play `role`, in the order written."""
        return tuple(field for field in self.fields if field.role == role)
