"""The resolved spec as a file: every default spelled out, quantities in SI, one spelling for one meaning."""

from __future__ import annotations

from pydantic import BaseModel

from synthspec.ir.canonical import to_json
from synthspec.ir.emit import emit

_BYTES = 1 << 16
_LINE = 256


def resolved_text(document: BaseModel) -> str:
    """`document` as YAML that reads back to the same model."""
    return emit(to_json(document))


def reads_as(data: bytes, document: BaseModel) -> bool:
    """Whether it is plain without reading `data` that it means `document`: it is what `resolved_text` writes.

    False says nothing: it may be laid out otherwise, or be so long, or have such characters, that the reader of specs has
    to say whether it takes it.
    """
    if len(data) > _BYTES or not data.isascii() or b"\\" in data:
        return False
    return all(len(line) <= _LINE for line in data.splitlines()) and data == resolved_text(document).encode()
