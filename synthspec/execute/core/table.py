"""A source as it was read, before it means anything: columns of text or numbers under the source's own names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.protocol import DataError

Text = list[str]
Raw = Text | NDArray[np.generic]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns of `rows` entries each: cells of text, or arrays whose first axis is the row.

    `where` says where row i (from 0) stands in the source, the way a person finds it: ``line 17``, ``row 16``.
    """

    name: str
    rows: int
    columns: Mapping[str, Raw]
    where: Callable[[int], str]
    others: tuple[str, ...] = ()
    """What else the source has, under names that nobody asked for."""


def bad_value(table: Table, column: str, rows: NDArray[np.integer], what: str, help_text: str) -> DataError:
    """The fault of the cells of `column` in `rows`; the first is named, the others are counted."""
    more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    place = f"{table.name}, {table.where(int(rows[0]))}, column {column!r}"
    return DataError("schema.bad-value", f"{place}: {what}{more}", help_text)
