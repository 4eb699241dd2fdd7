"""Which fields a table of mixed types may have. Pure: asked before anything runs, no framework and no numpy is loaded."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.schema import Field, Schema

LARGEST = 4096
"""Numbers that a record may have."""


def mixed_reasons(schema: Schema) -> Iterator[str]:
    """Why the content of `schema` cannot be put into cells (`synthspec_torch.data.mixed`)."""
    content = schema.with_role("content")
    if not content:
        yield "the SRef has no content to make"
    for field in content:
        if field.dtype == "string":
            yield f"{field.name!r} is text; declare it categorical with its members"
        elif field.dtype == "categorical" and not field.enum:
            yield f"{field.name!r} is categorical without an enum"
    if sum(field.size for field in content) > LARGEST:
        yield f"a record has {sum(field.size for field in content)} numbers; tables here have up to {LARGEST}"


def is_mixed(schema: Schema) -> bool:
    """Whether the content needs cells: a field is of no number, has members, or may be missing."""
    return any(_needs_cells(field) for field in schema.with_role("content"))


def _needs_cells(field: Field) -> bool:
    return field.nullable or bool(field.enum) or field.dtype in ("bool", "categorical", "string", "timestamp")
