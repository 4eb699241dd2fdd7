"""CSV (RFC 4180, comma, UTF-8, one header line) to a table of text; nothing is guessed."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Collection, Iterator
from itertools import pairwise

from synthspec.backend.protocol import DataError
from synthspec.execute.core.source import within_memory
from synthspec.execute.core.table import Table

MAX_COLUMNS = 10_000
MAX_CELL = 131_072
"""Characters of one cell; what the csv module has as its own limit."""
_CELL_COST = 64
"""Bytes that a short cell takes while it is text."""

_ONE_RECORD = "write one record a line, with the same number of cells in each"


def read_csv(name: str, data: bytes, wanted: Collection[str]) -> Table:
    """Read the columns of `data` whose names are in `wanted`.

    Raises DataError: `syntax.encoding` for bytes that are not UTF-8, `schema.duplicate-name` for a column that stands
    there twice, `syntax.too-large` for what is over the limits, `schema.bad-value` for a ragged or broken table.
    """
    text = _decode(name, data)
    within_memory(len(data) + _CELL_COST * sum(map(text.count, ",\n")), name)
    records = _records(name, text)
    header = _header(name, next(records, (1, []))[1])
    picked = [number for number, title in enumerate(header) if title in wanted]
    cells: list[list[str]] = [[] for _ in picked]
    lines: list[int] = []
    for line, record in records:
        if len(record) != len(header):
            message = f"{name}, line {line}: {len(record)} cells, but the header has {len(header)}"
            raise DataError("schema.bad-value", message, _ONE_RECORD)
        lines.append(line)
        for column, number in zip(cells, picked, strict=True):
            column.append(record[number])
    columns = {header[number]: column for number, column in zip(picked, cells, strict=True)}
    return Table(name=name, rows=len(lines), columns=columns, where=lambda row: f"line {lines[row]}")


def _decode(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{name}, line {line}: byte {error.start} is not UTF-8"
        raise DataError("syntax.encoding", message, "save the file as UTF-8") from error


def _records(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Records that are not blank, with the number of the line on which each begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begin = 1
    try:
        for record in reader:
            if record:
                yield begin, record
            begin = reader.line_num + 1
    except csv.Error as error:
        code = "syntax.too-large" if "limit" in str(error) else "schema.bad-value"
        help_text = f"at most {MAX_CELL} characters a cell" if "limit" in str(error) else _ONE_RECORD
        raise DataError(code, f"{name}, line {begin}: {error}", help_text) from error


def _header(name: str, titles: list[str]) -> list[str]:
    if len(titles) > MAX_COLUMNS:
        message = f"{name} has {len(titles)} columns; at most {MAX_COLUMNS} are read"
        raise DataError("syntax.too-large", message, "put long vectors into an npz file")
    titles = [title.strip() for title in titles]
    twice = sorted({one for one, other in pairwise(sorted(titles)) if one == other})
    if twice:
        message = f"{name}: two columns are called {twice[0]!r}"
        raise DataError("schema.duplicate-name", message, "give every column its own name")
    for number, title in enumerate(titles, start=1):
        if not title or any(unicodedata.category(char) in {"Cc", "Cf"} for char in title):
            message = f"{name}: the name of column {number}, {title!r}, is empty or has invisible characters"
            raise DataError("schema.bad-value", message, "write the names of the columns in the first line")
    if not titles:
        raise DataError("schema.bad-value", f"{name} is empty", "the first line names the columns")
    return titles
