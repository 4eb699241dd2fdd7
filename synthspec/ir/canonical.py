"""Canonical JSON (RFC 8785) of IR nouns, and the digests that everything is known by.

Numbers that RFC 8785 cannot carry (integers of 2^53 and more: seeds, nanoseconds) are written as decimal strings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Protocol, cast

from synthspec.units import Quantity, coherent_unit, spell_number

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_EXACT = 2**53


class Canonical(Protocol):
    """A noun that says itself what its identity is: the groups of the manifest, which keep the standard's spelling."""

    def canonical(self) -> Json:
        """The plain JSON of this noun."""


def to_json(value: object, *, far: bool = False) -> Json:
    """Turn a tree of dataclasses, pydantic models, tuples and scalars into plain JSON.

    A quantity becomes its SI spelling, so ``2 s`` and ``2000 ms`` are one value however they were written. Whole numbers of
    2^53 and more become texts, unless `far` says that what is written next carries them.
    Raises TypeError for anything that has no canonical form (a set, an array, bytes).
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Quantity):
        return f"{spell_number(value.si)} {coherent_unit(value.unit.kind).symbol}"
    if isinstance(value, int):
        return value if far or -_EXACT < value < _EXACT else str(value)
    if isinstance(value, float):
        return value if far or abs(value) < _EXACT or not value.is_integer() else repr(value)
    if isinstance(value, Enum):
        return to_json(value.value, far=far)
    if isinstance(value, (tuple, list)):
        return [to_json(item, far=far) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_json(item, far=far) for key, item in value.items()}
    if hasattr(type(value), "canonical"):
        return cast("Canonical", value).canonical()
    return _record(value, far=far)


def _record(value: object, *, far: bool) -> Json:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name), far=far) for f in fields(value) if f.compare}
    model_fields = getattr(type(value), "model_fields", None)
    if isinstance(model_fields, dict):
        # Under the keys of the language (`C40-511`). Absent optional keys are left out: adding an optional key to the
        # language must not change old digests.
        present = {info.alias or name: getattr(value, name) for name, info in model_fields.items()}
        return {name: to_json(item, far=far) for name, item in present.items() if item is not None}
    raise TypeError(f"{type(value).__name__} has no canonical form")


def canonical_bytes(value: object) -> bytes:
    """The RFC 8785 bytes of `value`. Raises ValueError for NaN, infinities and half surrogates, TypeError as `to_json`."""
    import rfc8785

    data: bytes = rfc8785.dumps(to_json(value))
    return data


OUTPUT = "synthspec.output.v1"
"""The domain of what a node made: the name, digest and size of each file, in the order in which it names them."""


def digest(domain: str, value: object) -> str:
    """The lower-case hex SHA-256 of `value` in `domain`; two domains never share a digest."""
    return hashlib.sha256(domain.encode() + b"\0" + canonical_bytes(value)).hexdigest()
