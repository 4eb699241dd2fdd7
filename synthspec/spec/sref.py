"""SRef: the canonical schema of the data, with units (P403-1, reference 1.1)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from synthspec.spec.base import ApiVersion, Count, Duration, Finite, Metadata, Model, Name, Positive, Speed

Role = Literal["key", "content", "condition", "time", "derived"]
Dtype = Literal[
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
    "float16", "float32", "float64", "bool", "categorical", "string", "timestamp",
]  # fmt: skip
Modality = Literal["tabular", "image", "timeseries", "audio", "text", "graph", "video"]
Member = str | int | float | bool
MAX_EXPRESSIONS = 1 << 16
"""Characters of all expressions of an SRef together; one alone has a limit of its own."""


class SRefField(Model):
    """One field. A numeric field that enters a computation declares its unit; `dimensionless` is written out."""

    name: Name
    role: Role
    dtype: Dtype
    shape: tuple[Count, ...] | None = None
    unit: str | None = Field(default=None, examples=["mm", "degC", "dimensionless"])
    dim: str | None = Field(default=None, examples=["[L]", "[M] [L]^2 [T]^-3"])
    nullable: bool = False
    enum: tuple[Member, ...] | None = None
    range: tuple[Finite, Finite] | None = None
    resolution: Positive | None = None
    expr: str | None = None
    description: str | None = None


class Keys(Model):
    """P403-2: what identifies a row, and what it points to."""

    pk: tuple[Name, ...]
    entity: Name | None = None
    fk: dict[str, str] = {}


class Into(Model):
    """The member of the enum that stands for every value that is none of its members."""

    into: Member


class Policies(Model):
    """What binding does with a record that the fields do not allow as it is; without a word, it refuses the source."""

    nulls: dict[Name, Literal["refuse", "drop", "impute"]] = {}
    enums: dict[Name, Literal["refuse", "drop"] | Into] = {}
    orphans: dict[Name, Literal["refuse", "drop", "keep"]] = {}


class Constraint(Model):
    """A rule about the physics or the logic of a row, checked on D_ref and on D_syn (P405-7)."""

    id: Name
    expr: str
    severity: Literal["info", "warn", "block"] = "block"


class TimeAnchors(Model):
    """P405-5: which fields are the monotonic base and the published time."""

    tau_mono: Name
    ts: Name | None = None
    timezone: str | None = None
    window: Duration | None = None


class PathField(Model):
    """One column of the table along gamma(ell)."""

    name: Name
    dtype: Literal["float32", "float64"]
    unit: str | None = None
    range: tuple[Finite, Finite] | None = None


class SignalPath(Model):
    """P405-6: the path gamma(ell) with its index and its speed of reference."""

    source: str
    fields: tuple[PathField, ...]
    c_ref0: Speed | None = None


class SRef(Model):
    """The schema document."""

    apiVersion: ApiVersion
    kind: Literal["SRef"]
    metadata: Metadata
    modality: Modality
    fields: Annotated[tuple[SRefField, ...], Field(min_length=1)]
    keys: Keys | None = None
    alias_map: dict[str, str] = {}
    policy: Policies | None = None
    constraints: tuple[Constraint, ...] = ()
    time: TimeAnchors | None = None
    path: SignalPath | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        texts = (*(field.expr or "" for field in self.fields), *(rule.expr for rule in self.constraints))
        length = sum(map(len, texts))
        if length > MAX_EXPRESSIONS:
            says = f"the expressions have {length:,} characters in all; at most {MAX_EXPRESSIONS:,} are read"
            context = {"says": says, "help": "keep rules about data to what a reader can check"}
            raise PydanticCustomError("expr.too-large", "{says}", context)
        return self

    def field(self, name: str) -> SRefField | None:
        """The field called `name`, or None."""
        return next((field for field in self.fields if field.name == name), None)

    def with_role(self, role: Role) -> tuple[SRefField, ...]:
        """The fields that play `role`, in the order written."""
        return tuple(field for field in self.fields if field.role == role)
