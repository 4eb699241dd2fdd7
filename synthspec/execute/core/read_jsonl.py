"""JSON lines (UTF-8, one object a line) to tables of text and arrays; numbers keep the digits that they are written with."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.protocol import DataError
from synthspec.execute.core.read_csv import line_of
from synthspec.execute.core.table import Raw, Table

MAX_LINE = 1 << 24
"""Bytes of one record."""
_ONE_OBJECT = 'write one object a line, such as {"x": 1.5, "kind": "a"}'

Record = dict[str, object]


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def jsonl_names(name: str, stream: BinaryIO) -> tuple[str, ...]:
    """Every key of every record, in the order in which they appear. Raises DataError as `jsonl_chunks`."""
    names: dict[str, None] = {}
    for _, record in _records(name, stream):
        names.update(dict.fromkeys(record))
    return tuple(names)


def jsonl_chunks(
    name: str, stream: BinaryIO, names: Sequence[str], wanted: Collection[str], rows: int
) -> Iterator[Table]:
    """The values of `stream` under those of `names` that are in `wanted`, at most `rows` records at a time.

    A key that a record lacks, and null, are no value. Lists of numbers of one shape become arrays. Raises DataError:
    `syntax.encoding` for bytes that are not UTF-8, `schema.duplicate-name` for a key that stands twice in a record,
    `syntax.too-large` for a line over the limit, `schema.bad-value` for what is no object, or holds one.
    """
    picked = [key for key in names if key in wanted]
    others = tuple(key for key in names if key not in wanted)
    values: dict[str, list[object]] = {key: [] for key in picked}
    lines: list[int] = []
    made = False
    for line, record in _records(name, stream):
        for key in picked:
            values[key].append(record.get(key))
        lines.append(line)
        if len(lines) == rows:
            yield _table(name, values, lines, others)
            values, lines, made = {key: [] for key in picked}, [], True
    if lines or not made:
        yield _table(name, values, lines, others)


def _table(name: str, values: dict[str, list[object]], lines: list[int], others: tuple[str, ...]) -> Table:
    columns = {key: _column(name, key, column, lines) for key, column in values.items()}
    return Table(name=name, rows=len(lines), columns=columns, where=line_of(lines), others=others)


def _column(name: str, key: str, values: list[object], lines: list[int]) -> Raw:
    if any(isinstance(value, list) for value in values):
        return _array(name, key, values, lines)
    return [_cell(name, key, value, line) for value, line in zip(values, lines, strict=True)]


def _cell(name: str, key: str, value: object, line: int) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    message = f"{name}, line {line}: {key!r} holds an object"
    raise DataError("schema.bad-value", message, "give each of its values a key of its own")


def _array(name: str, key: str, values: list[object], lines: list[int]) -> NDArray[np.generic]:
    first = next(row for row, value in enumerate(values) if isinstance(value, list))
    shape = _shape(values[first])
    size = int(np.prod(shape))
    if not size:
        message = f"{name}, line {lines[first]}: {key!r} is an empty list"
        raise DataError("schema.bad-value", message, "write lists of one shape in every record, null for a gap")
    found = np.empty((len(values), size), np.float64)
    for row, (value, line) in enumerate(zip(values, lines, strict=True)):
        flat = _flat(value)
        if _shape(value) != shape or flat is None or len(flat) != size:
            message = f"{name}, line {line}: {key!r} is not a list of {'x'.join(map(str, shape))} numbers"
            raise DataError("schema.bad-value", message, "write lists of one shape in every record, null for a gap")
        found[row] = flat
    return found.reshape(len(values), *shape)


def _shape(value: object) -> tuple[int, ...]:
    shape: list[int] = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)


def _flat(value: object) -> list[float] | None:
    """The numbers of a nested list; None where something in it is no number, or lies at another depth."""
    level: list[object] = value if isinstance(value, list) else []
    while level and isinstance(level[0], list):
        if not all(isinstance(part, list) and len(part) == len(level[0]) for part in level):
            return None
        level = [item for part in level if isinstance(part, list) for item in part]
    if not all(item is None or isinstance(item, _Number) for item in level):
        return None
    return [np.nan if item is None else float(str(item)) for item in level]


def _records(name: str, stream: BinaryIO) -> Iterator[tuple[int, Record]]:
    """Objects, with the numbers of their lines; blank lines are passed over."""
    line = 0
    while data := stream.readline(MAX_LINE + 1):
        line += 1
        if len(data) > MAX_LINE:
            message = f"{name}, line {line}: more than {MAX_LINE:,} bytes"
            raise DataError("syntax.too-large", message, "put long vectors into an npz file")
        if line == 1:
            data = data.removeprefix(b"\xef\xbb\xbf")
        if data.strip():
            yield line, _record(f"{name}, line {line}", data)


def _record(where: str, data: bytes) -> Record:
    try:
        found = json.loads(
            data.decode("utf-8"),
            parse_float=_Number,
            parse_int=_Number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_once,
        )
    except UnicodeDecodeError as error:
        raise DataError("syntax.encoding", f"{where}: byte {error.start} is not UTF-8", "save it as UTF-8") from error
    except _TwiceError as error:
        message = f"{where}: the key {error.args[0]!r} stands there twice"
        raise DataError("schema.duplicate-name", message, "write every key once") from error
    except (ValueError, RecursionError) as error:
        raise DataError("schema.bad-value", f"{where} is no JSON: {error}", _ONE_OBJECT) from error
    if not isinstance(found, dict):
        raise DataError("schema.bad-value", f"{where} is no object", _ONE_OBJECT)
    return found


class _TwiceError(Exception):
    """A key that stands twice in an object."""


def _once(pairs: list[tuple[str, object]]) -> Record:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in names if names.count(key) > 1))
    return found


def _refuse_constant(word: str) -> object:
    raise ValueError(f"{word} is no number of JSON; write null where there is none")
