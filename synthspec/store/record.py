"""What the store remembers of a finished node: which files it made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from synthspec.ir.canonical import OUTPUT, canonical_bytes, digest

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@=-]{0,127}")
_Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file of an artifact: its name inside the node's folder, its SHA-256 and its size in bytes."""

    name: str
    sha256: _Sha
    size: Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One node result, known by the execution key of the node. Written last: where it is, its objects are."""

    format: Literal["synthspec.record/1"] = "synthspec.record/1"
    key: _Sha
    node: str
    op: str
    files: tuple[StoredFile, ...]

    @property
    def digest(self) -> str:
        """What the node made, whoever made it and whatever for: names, digests and sizes of the files."""
        return digest(OUTPUT, self.files)


def is_portable(name: str) -> bool:
    """Whether `name` is a relative path that means the same everywhere and stays inside its folder."""
    return all(_PART.fullmatch(part) for part in name.split("/")) and len(name) <= 512


def write_record(record: Record) -> bytes:
    """The canonical bytes of `record`, with a digest that shows damage."""
    return canonical_bytes({"record": record, "sum": digest("synthspec.record.v1", record)})


@dataclass(frozen=True, slots=True)
class _Sealed:
    record: Record
    sum: str


_READER = TypeAdapter(_Sealed)


def read_record(data: bytes, key: str) -> Record:
    """Read what `write_record` wrote for `key`.

    Raises:
        ValueError: it is damaged, or about another node.

    """
    try:
        sealed = _READER.validate_json(data)
    except ValidationError as error:
        raise ValueError("not a record") from error
    record = sealed.record
    if sealed.sum != digest("synthspec.record.v1", record) or write_record(record) != data:
        raise ValueError("its digest does not match")
    if record.key != key or not all(is_portable(file.name) for file in record.files):
        raise ValueError("it is about something else")
    return record
