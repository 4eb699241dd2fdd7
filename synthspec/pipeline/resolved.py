"""The resolved spec as a file: every default spelled out, quantities in SI, one spelling for one meaning."""

from __future__ import annotations

from typing import cast

from pydantic import BaseModel

from synthspec.ir.canonical import Json, to_json
from synthspec.parse import Value
from synthspec.parse.emit import emit


def resolved_text(document: BaseModel) -> str:
    """`document` as YAML that reads back to the same model."""
    return emit(cast("Value", _by_alias(document)))


def _by_alias(value: object) -> Json:
    """`to_json` under the keys of the language (``C40-511``), which a Python attribute cannot have."""
    if isinstance(value, BaseModel):
        named = {info.alias or name: getattr(value, name) for name, info in type(value).model_fields.items()}
        return {name: _by_alias(item) for name, item in named.items() if item is not None}
    if isinstance(value, (tuple, list)):
        return [_by_alias(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _by_alias(item) for key, item in value.items()}
    return to_json(value)
