"""CSV (RFC 4180, comma, UTF-8, one header line) to tables of text; nothing is guessed, and no more than a chunk is held."""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from collections.abc import Callable, Collection, Iterator
from itertools import islice, pairwise
from typing import BinaryIO

import numpy as np

from synthspec.backend.protocol import DataError
from synthspec.execute.core.source import within_memory
from synthspec.execute.core.table import Table

MAX_COLUMNS = 10_000
MAX_CELL = 131_072
"""Characters of one cell; what the csv module has as its own limit."""
MAX_LINE = 1 << 24
"""Characters of one line."""
_CELL_COST = 64
"""Bytes that a short cell takes while it is text."""

_ONE_RECORD = "write one record a line, with the same number of cells in each"


def read_csv(name: str, data: bytes, wanted: Collection[str]) -> Table:
    """Read the columns of `data` whose names are in `wanted`, at once.

    Raises DataError: `syntax.encoding` for bytes that are not UTF-8, `schema.duplicate-name` for a column that stands
    there twice, `syntax.too-large` for what is over the limits, `schema.bad-value` for a ragged or broken table.
    """
    within_memory(len(data) + _CELL_COST * sum(map(data.count, (b",", b"\n"))), name)
    return next(csv_chunks(name, io.BytesIO(data), wanted, rows=len(data) + 1))


def csv_chunks(name: str, stream: BinaryIO, wanted: Collection[str], rows: int) -> Iterator[Table]:
    """The columns of `stream` whose names are in `wanted`, at most `rows` records at a time, at least one table.

    Raises DataError as `read_csv`.
    """
    records = _records(name, _lines(name, stream))
    header = _header(name, next(records, (1, []))[1])
    picked = [number for number, title in enumerate(header) if title in wanted]
    others = tuple(title for title in header if title not in wanted)
    first = True
    while chunk := _chunk(name, records, len(header), picked, rows):
        lines, cells = chunk
        if not lines and not first:
            return
        first = False
        columns = {header[number]: column for number, column in zip(picked, cells, strict=True)}
        yield Table(name=name, rows=len(lines), columns=columns, where=line_of(lines), others=others)
        if len(lines) < rows:
            return


def line_of(lines: list[int]) -> Callable[[int], str]:
    """Where record i begins, in few bytes."""
    begins = np.array(lines, np.int64)
    return lambda row: f"line {begins[row]}"


def _chunk(
    name: str, records: Iterator[tuple[int, list[str]]], width: int, picked: list[int], rows: int
) -> tuple[list[int], list[list[str]]]:
    cells: list[list[str]] = [[] for _ in picked]
    lines: list[int] = []
    for line, record in islice(records, rows):
        if len(record) != width:
            message = f"{name}, line {line}: {len(record)} cells, but the header has {width}"
            raise DataError("schema.bad-value", message, _ONE_RECORD)
        lines.append(line)
        for column, number in zip(cells, picked, strict=True):
            column.append(record[number])
    return lines, cells


def _lines(name: str, stream: BinaryIO) -> Iterator[str]:
    """Lines with their ends, as RFC 4180 has them: nothing is translated. Raises DataError for what is no UTF-8."""
    decode = codecs.getincrementaldecoder("utf-8-sig")()
    text, offset, line = "", 0, 1
    while True:
        data = stream.read(1 << 16)
        try:
            text += decode.decode(data, final=not data)
        except UnicodeDecodeError as error:
            # What the decoder still held of the bytes before is at the front of what it complains about.
            place = offset - (len(error.object) - len(data)) + error.start
            at = line + text.count("\n") + error.object[: error.start].count(b"\n")
            message = f"{name}, line {at}: byte {place} is not UTF-8"
            raise DataError("syntax.encoding", message, "save the file as UTF-8") from error
        offset += len(data)
        whole = _split(text if not data else text[: text.rfind("\n") + 1])
        for each in whole:
            yield each
            line += each.count("\n")
        text = text[sum(map(len, whole)) :]
        if len(text) > MAX_LINE:
            message = f"{name}, line {line}: more than {MAX_LINE:,} characters without an end"
            raise DataError("syntax.too-large", message, _ONE_RECORD)
        if not data:
            return


def _split(text: str) -> list[str]:
    """The lines of `text` with their ends: CR, LF or both, and none of what Unicode has beside them."""
    return io.StringIO(text, newline="").readlines()


def _records(name: str, source: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """Records that are not blank, with the number of the line on which each begins."""
    reader = csv.reader(source, strict=True)
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
    if len(titles) == 1 and any(mark in titles[0] for mark in ";\t|"):
        message = f"{name} has one column, called {titles[0][:60]!r}"
        advice = "cells are separated by commas: save the table so, with 1.5 for 1,5"
        raise DataError("schema.bad-value", message, advice)
    for number, title in enumerate(titles, start=1):
        if not title or any(unicodedata.category(char) in {"Cc", "Cf"} for char in title):
            message = f"{name}: the name of column {number}, {title!r}, is empty or has invisible characters"
            raise DataError("schema.bad-value", message, "write the names of the columns in the first line")
    if not titles:
        raise DataError("schema.bad-value", f"{name} is empty", "the first line names the columns")
    return titles
