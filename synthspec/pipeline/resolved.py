"""The resolved spec as a file: every default spelled out, quantities in SI, one spelling for one meaning."""

from __future__ import annotations

from pydantic import BaseModel

from synthspec.ir.canonical import to_json
from synthspec.ir.emit import emit


def resolved_text(document: BaseModel) -> str:
    """`document` as YAML that reads back to the same model."""
    return emit(to_json(document))
