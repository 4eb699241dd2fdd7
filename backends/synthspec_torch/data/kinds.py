"""Which fields a table of mixed types may have. Pure: asked before anything runs, no framework and no numpy is loaded."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.schema import Field, Schema

CELLWISE = frozenset({"log", "quantile"})
"""Transforms of a number that are made of cells, so its record is put into cells."""
FEW = 128
"""A lattice of at most so many values has a cell for each."""
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
    if field.transform in CELLWISE:
        return True
    return field.nullable or bool(field.enum) or field.dtype in ("bool", "categorical", "string", "timestamp")


def transform_reasons(schema: Schema, conditions: tuple[str, ...], *, series: bool = False) -> Iterator[str]:
    """Why a field cannot be put before the network as it is asked for (`data.transform`).

    `series`: every channel is standardised by its own moments, or by its range under a mechanism.
    """
    for field in schema.fields:
        kind = field.transform
        if not kind:
            continue
        if field.name in conditions:
            if kind in CELLWISE or field.enum:
                yield f"{kind} is for content: the condition {field.name!r} is a number of the network's context"
        elif schema.modality == "image":
            if kind != "linear":
                yield f"pixels are put onto [-1, 1] by their range: {field.name!r} cannot be {kind}, only linear"
        elif series and kind != "standard":
            yield f"the channels of a series are standardised: {field.name!r} cannot be {kind}, only standard"
        elif not series and _few(field):
            yield f"every value of {field.name!r} is a cell of its own, and {kind} would change nothing"


def _few(field: Field) -> bool:
    """Whether the field has so few values that each is a cell (`synthspec_torch.data.partition`)."""
    step = field.resolution or (1.0 if "int" in field.dtype else 0.0)
    if field.enum:
        return True
    return bool(step) and field.range is not None and (field.range[1] - field.range[0]) / step < FEW
