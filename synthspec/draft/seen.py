"""What a look at every record once says of a column: which dtypes take all of its values, between which bounds, which ones.

Whether a dtype takes a value is asked of what binds columns in a run, so a draft is never refused by what it was drafted from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.protocol import DataError
from synthspec.execute.core.columns import Cells, bind_column, lacking, plain
from synthspec.execute.core.policing import taken
from synthspec.execute.core.table import Raw, Table
from synthspec.ir.schema import Field

MOST_MEMBERS = 128
"""More different texts than this are no categories."""
LONGEST_MEMBER = 120
"""Characters; a longer text is no category."""
Tried = Literal["int64", "float64", "bool", "timestamp", "string"]
_OTHERS: tuple[Tried, ...] = ("bool", "timestamp", "string")
_NUMBERS: tuple[Tried, ...] = ("int64", "float64")
_LEADING_ZERO = re.compile(r"[+-]?0\d")
_HALF = re.compile("[\ud800-\udfff]")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(slots=True)
class Seen:
    """One column, record by record: what it can be is narrowed down by every chunk of them."""

    name: str
    records: int = 0
    gaps: int = 0
    shape: tuple[int, ...] = ()
    """The axes of one record, where it holds an array."""
    stored: str = ""
    """numpy's word for the entries of such an array."""
    unfit: str = ""
    """Why nothing here can hold its values."""
    low: int | float | None = None
    high: int | float | None = None
    refused: dict[Tried, str] = field(default_factory=dict)
    """Why a dtype does not take the values: the first that it does not, and where it stands."""
    texts: dict[str, int] | None = field(default_factory=dict)
    """How many records have each value, as it is spelled; None where there are too many different ones."""
    dated: bool = True
    """Whether every value looks like a date."""
    ordered: bool = True
    """Whether every value is a date with year, month and day in the order of ISO 8601."""
    days: bool = True
    """Whether every value is such a day, without a time."""
    numbers: int = 0
    """How many values are numbers, where not all are."""
    _prints: list[NDArray[np.int64]] | None = field(default_factory=list)
    """Of each value so far, while each is there once."""

    def add(self, table: Table) -> None:
        """Look at the column of the records of `table`."""
        raw = table.columns[self.name]
        self.records += table.rows
        if not isinstance(raw, list) and raw.ndim > 1:
            self.shape, self.stored = raw.shape[1:], str(raw.dtype)
        if self.shape or self.unfit or not table.rows:
            return
        try:
            cells = plain(Cells(table, self.name, self._as("float64"), raw))
        except DataError as fault:
            self.unfit = fault.message
            return
        gap = lacking(cells)
        self.gaps += int(gap.sum())
        if not gap.all():
            self._values(taken(replace(table, columns={self.name: cells.raw}), np.flatnonzero(~gap)))

    def takes(self, dtype: Tried) -> bool:
        """Whether `dtype` takes every value."""
        return dtype not in self.refused

    @property
    def kind(self) -> Literal["array", "unfit", "empty", "whole", "real", "truth", "instant", "text"]:
        """The narrowest thing that the column can be."""
        if self.shape or self.unfit:
            return "array" if self.shape else "unfit"
        if self.gaps == self.records:
            return "empty"
        if self.takes("int64"):
            return "whole"
        if self.takes("float64"):
            return "real"
        return "truth" if self.takes("bool") else "instant" if self.takes("timestamp") else "text"

    @property
    def unique(self) -> bool:
        """Whether every record has a value, and each its own."""
        if not self._prints:
            return False
        prints = np.concatenate(self._prints)
        return len(prints) == self.records and len(np.unique(prints)) == len(prints)

    @property
    def constant(self) -> bool:
        """Whether there is but one value, in every record; of numbers, in every record that has one."""
        if self.low is not None and self.kind in {"whole", "real"}:
            return self.low == self.high
        return self.texts is not None and len(self.texts) == 1 and not self.gaps

    @property
    def bounds(self) -> tuple[int | float, int | float]:
        """The least and the greatest number. Raises ValueError for a column that is none of numbers."""
        if self.low is None or self.high is None:
            raise ValueError(f"{self.name!r} was not seen to hold numbers")
        return self.low, self.high

    @property
    def integers(self) -> tuple[int, ...]:
        """The different whole numbers in order, where they are few."""
        return tuple(sorted({int(text.partition(".")[0]) for text in self.texts or ()}))

    @property
    def mostly_numbers(self) -> bool:
        """Whether half of the values are numbers, and others are not."""
        return 2 * self.numbers >= self.records - self.gaps

    def few(self, most: int) -> bool:
        """Whether there are at most `most` different values."""
        return self.texts is not None and len(self.integers if self.kind == "whole" else self.texts) <= most

    def _as(self, dtype: Tried) -> Field:
        return Field(name=self.name, role="content", dtype=dtype, nullable=True)

    def _values(self, table: Table) -> None:
        raw = table.columns[self.name]
        if isinstance(raw, list) and any(not cell.isascii() and _HALF.search(cell) for cell in raw):
            self.unfit = "a text has half of a surrogate pair"
            return
        if isinstance(raw, list) and any(_LEADING_ZERO.match(cell.strip()) for cell in raw):
            for dtype in _NUMBERS:
                self.refused.setdefault(dtype, "numbers do not begin with a zero, and here some do: they are codes")
        if self._try(table, "int64") or self._try(table, "float64"):
            self.numbers += table.rows
            # What is a number is no instant, and a truth value only where it is 0 or 1.
            self.refused.setdefault("timestamp", "it has numbers")
            if not self.takes("int64") or self.bounds[0] < 0 or self.bounds[1] > 1:
                self.refused.setdefault("bool", "it has numbers")
        else:
            for dtype in _OTHERS:
                self._try(table, dtype)
        self._spellings(raw)

    def _try(self, table: Table, dtype: Tried) -> bool:
        """Whether `dtype` takes the values of `table`, and took all before."""
        if not self.takes(dtype):
            return False
        try:
            column = bind_column(Cells(table, self.name, self._as(dtype), table.columns[self.name]))
        except DataError as fault:
            self.refused[dtype] = fault.message
            return False
        if dtype in _NUMBERS:
            low, high = column.min().item(), column.max().item()
            self.low = low if self.low is None else min(self.low, low)
            self.high = high if self.high is None else max(self.high, high)
        return True

    def _spellings(self, raw: Raw) -> None:
        """Count the different values, while they are few, and see whether each is there once."""
        if self.kind not in {"whole", "real"}:
            self.numbers += sum(map(_is_number, raw)) if isinstance(raw, list) else 0
        if self.kind == "real":
            self._prints = None  # what is measured names no record, and a print of each would be as large as the column
        if self.texts is None and self._prints is None and not self.dated:
            return
        texts = [cell.strip() for cell in raw] if isinstance(raw, list) else [str(item) for item in raw.tolist()]
        self._dates(texts)
        if self.texts is not None:
            self._count(texts)
        if self.takes("int64") and any(text != str(int(text.partition(".")[0])) for text in texts):
            self._prints = None  # 1, +1 and 1.0 are one number, and three texts where later values are none
        if self._prints is not None:
            prints = np.fromiter(map(hash, texts), np.int64, len(texts))
            self._prints = [*self._prints, prints] if len(np.unique(prints)) == len(prints) else None

    def _dates(self, texts: Sequence[str]) -> None:
        self.dated = self.dated and all(map(_DATE.fullmatch, texts))
        self.ordered = self.ordered and self.dated and all(map(_ISO_DATE.fullmatch, texts))
        self.days = self.days and self.ordered and all(map(_ISO_DAY.fullmatch, texts))

    def _count(self, texts: Sequence[str]) -> None:
        known = self.texts or {}
        for text in texts:
            known[text] = known.get(text, 0) + 1
        short = all(len(text) <= LONGEST_MEMBER for text in known)
        self.texts = known if len(known) <= MOST_MEMBERS and short else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return not _LEADING_ZERO.match(text.strip())
