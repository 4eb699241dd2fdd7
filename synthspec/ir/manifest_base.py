"""What every group of the manifest shares: closed, frozen, strict, and one canonical form.

A field that is absent is None and is left out of the bytes; an explicit null is never written. A later minor version
may therefore add a field only as ``X | None = None``, and old manifests keep their digests.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from synthspec.ir.canonical import Json, to_json

_EXACT = 2**53


class Group(BaseModel):
    """One group of keys. Keys keep the standard's spelling; Python may also use the snake-case name of an alias."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        defer_build=True,
    )

    def canonical(self) -> Json:
        """Plain JSON under the keys of the file, in the order of the model."""
        named = {field.alias or name: getattr(self, name) for name, field in type(self).model_fields.items()}
        return {name: plain(value) for name, value in named.items() if value is not None}


def plain(value: object) -> Json:
    """As `to_json`, with infinities as the strings ``inf`` and ``-inf``, which `Real` reads back."""
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return to_json(value)


def _read_real(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    beyond = math.isinf(number) or (abs(number) >= _EXACT and number.is_integer())
    # Only the spelling that we write: one number has one form.
    return number if beyond and repr(number) == value else value


def _not_nan(value: float) -> float:
    if math.isnan(value):
        raise ValueError("not a number: leave the value out and give the reason")
    return value


def _timestamp(value: str) -> str:
    datetime.fromisoformat(value)
    return value


Real = Annotated[
    float,
    BeforeValidator(_read_real),
    AfterValidator(_not_nan),
    WithJsonSchema(
        {
            "anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?(inf|[0-9][0-9.]*(e\+[0-9]+)?)$"}],
            "description": "A number; an infinity or an integral value of 2^53 and more is a string.",
        }
    ),
]
"""A float that is not NaN. What JSON (RFC 8785) cannot carry exactly travels as a string."""

Count = Annotated[int, Field(ge=0, lt=_EXACT)]
Exact = Annotated[str, Field(pattern=r"^(0|-?[1-9][0-9]*)$", max_length=80, examples=["18446744073709551615"])]
"""An integer that may pass 2^53 (a seed, nanoseconds), as a decimal string."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Timestamp = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", examples=["2026-01-31T12:00:00Z"]),
    AfterValidator(_timestamp),
]
Scalar = str | bool | int | Real
Parameter = Scalar | tuple[Scalar, ...]

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@=-]*(/[A-Za-z0-9_][A-Za-z0-9_.+@=-]*)*", re.ASCII)
FileName = Annotated[str, Field(pattern=f"^{NAME.pattern}$", max_length=1024)]
"""A path below the run's folder, in characters that mean the same on every file system."""


class Digest(Group):
    """SHA-256 and nothing weaker beside it."""

    sha256: Sha256


class Artifact(Group):
    """Something with content: a file of the run, or a value that passed between two nodes."""

    name: str
    digest: Digest
    size: Count | None = None
