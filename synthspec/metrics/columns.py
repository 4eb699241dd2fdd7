"""Content as columns of numbers: one a field, or one an element of a field of many."""

from __future__ import annotations

from synthspec.metrics.bench import Bench, Part
from synthspec.metrics.request import Array, Field


def flat(bench: Bench, part: Part) -> Array:
    """The content of one part as (n, columns)."""
    content = bench.content(part)
    return content.reshape(len(content), -1)


def parts(fields: tuple[Field, ...], width: int) -> tuple[Field, ...]:
    """The field of each of `width` columns: the fields themselves where there are as many, else elements of a lone one."""
    return fields if len(fields) == width else tuple(_part(fields, i) for i in range(width))


def _part(fields: tuple[Field, ...], i: int) -> Field:
    """One element of a field of many, such as a pixel."""
    field = fields[0] if len(fields) == 1 else Field(name="content")
    return Field(name=f"{field.name}.{i}", low=field.low, high=field.high, resolution=field.resolution)
