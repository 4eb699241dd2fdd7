"""The resolved spec as a file: every default spelled out, quantities in SI, one spelling for one meaning."""

from __future__ import annotations

from typing import cast

from pydantic import BaseModel

from synthspec.ir.canonical import to_json
from synthspec.parse import Value
from synthspec.parse.emit import emit


def resolved_text(document: BaseModel) -> str:
    """`document` as YAML that reads back to the same model."""
    return emit(cast("Value", to_json(document)))
