"""The resolved spec as a file: every default spelled out, quantities in SI, one spelling for one meaning."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from synthspec.ir.canonical import to_json
from synthspec.ir.emit import emit

_BYTES = 1 << 16
_LINE = 256


def resolved_text(document: BaseModel) -> str:
    """`document` as YAML that reads back to the same model."""
    return emit(to_json(document, far=True))


def reads_as(data: bytes, document: BaseModel) -> bool:
    """Whether it is plain without reading `data` that it means `document`: it is what `resolved_text` writes.

    False says nothing: it may be laid out otherwise, or be so long, or have such characters, that the reader of specs has
    to say whether it takes it.
    """
    if len(data) > _BYTES or not data.isascii() or b"\\" in data or max(map(len, data.splitlines()), default=0) > _LINE:
        return False
    text = data.decode()
    return text == resolved_text(_ordered(document, text))


def _ordered(document: BaseModel, text: str) -> BaseModel:
    """`document` with the entries of its mappings in the order in which their keys stand in `text`: a plan sorts them."""
    changed: dict[str, object] = {}
    for name in type(document).model_fields:
        value = getattr(document, name)
        if isinstance(value, BaseModel):
            changed[name] = _ordered(value, text)
        elif isinstance(value, Mapping):
            changed[name] = dict(sorted(value.items(), key=lambda entry: text.find(f" {entry[0]}:")))
    return document.model_copy(update=changed) if changed else document
