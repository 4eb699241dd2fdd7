"""How far two files of results are from each other: array by array, column by column (security study 6.1).

Numbers are held against the range of their array: a difference of one thousandth means the same for seconds and for
nanoseconds, and for instants that are all far from zero. Whole numbers, words, shapes and types must be equal.
"""

from __future__ import annotations

import csv
import json
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LEVELS = 1
"""By how many of its 255 levels a point of a picture may differ: pictures are drawn from rounded numbers."""
_KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"} | {
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?", "BF16": "<u2"
}  # fmt: skip
_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Gap:
    """The largest difference between two files. `relative` is in units of the range of the array it is in."""

    absolute: float = 0.0
    relative: float = 0.0
    where: str = ""
    """The array or column with the largest relative difference; empty when no number differs."""
    reason: str = ""
    """Why the files cannot be compared number by number, or what differs that is no number; else empty."""

    def within(self, tolerance: float) -> bool:
        """Whether nothing differs but numbers, and those by at most `tolerance` of their range."""
        return not self.reason and self.relative <= tolerance


class Unlike(Exception):  # noqa: N818 - it carries an answer
    """Two files differ in something that is no number."""


def gap_between(then: Path, now: Path) -> Gap:
    """The largest differences between two files of one name, read as the ending says.

    Read are safetensors, npz, csv, jsonl, parquet (where pyarrow is installed) and png.
    """
    readers = {".safetensors": _safetensors, ".npz": _npz, ".csv": _csv, ".jsonl": _jsonl, ".png": _png}
    if find_spec("pyarrow") is not None:
        readers[".parquet"] = _parquet
    read = readers.get(then.suffix)
    if read is None:
        return Gap(reason="only its bytes can be compared")
    try:
        return _largest(read(then, now))
    except Unlike as unlike:
        return Gap(reason=str(unlike))
    except (OSError, ValueError, KeyError, csv.Error, zipfile.BadZipFile) as error:
        return Gap(reason=f"it cannot be read: {type(error).__name__}")


def _largest(gaps: Iterable[Gap]) -> Gap:
    found = list(gaps)
    worst = max(found, key=lambda gap: gap.relative, default=Gap())
    return Gap(max((gap.absolute for gap in found), default=0.0), worst.relative, worst.where if worst.relative else "")


def array_gap(name: str, then: Array, now: Array) -> Gap:
    """The largest difference of two arrays. Raises Unlike where shape, type or anything but a finite number differs."""
    if (then.shape, then.dtype.kind) != (now.shape, now.dtype.kind):
        raise Unlike(f"{name} has another shape or type")
    if then.dtype.kind != "f":
        if not np.array_equal(then, now):
            raise Unlike(f"{name} holds no fractions and differs")
        return Gap(where=name)
    one, other = then.astype(np.float64).ravel(), now.astype(np.float64).ravel()
    finite = np.isfinite(one)
    if not np.array_equal(one[~finite], other[~np.isfinite(other)], equal_nan=True) or not np.array_equal(
        finite, np.isfinite(other)
    ):
        raise Unlike(f"{name} has missing or infinite values elsewhere")
    one, other = one[finite], other[finite]
    if not one.size:
        return Gap(where=name)
    return _gap(name, float(np.abs(other - one).max()), float(one.min()), float(one.max()))


def _gap(name: str, absolute: float, low: float, high: float) -> Gap:
    """A difference with its share of the range; of the magnitude where all values are one."""
    scale = high - low or abs(high)
    relative = absolute / scale if scale else (math.inf if absolute else 0.0)
    return Gap(absolute, relative, name)


def _arrays(then: Mapping[str, Array], now: Mapping[str, Array]) -> Iterator[Gap]:
    if set(then) != set(now):
        raise Unlike("it holds other arrays")
    return (array_gap(name, then[name], now[name]) for name in then)


def _safetensors(then: Path, now: Path) -> Iterator[Gap]:
    return _arrays(_tensors(then), _tensors(now))


def _tensors(path: Path) -> dict[str, Array]:
    from safetensors import SafetensorError, deserialize

    try:
        entries: list[tuple[str, Any]] = deserialize(path.read_bytes())  # type: ignore[no-untyped-call]
        return {name: _tensor(name, entry) for name, entry in entries}
    except SafetensorError as error:
        raise ValueError(str(error)) from None


def _tensor(name: str, entry: Mapping[str, Any]) -> Array:
    kind = _KINDS.get(entry["dtype"])
    if kind is None:
        raise Unlike(f"{name} has numbers of the type {entry['dtype']}, which are compared by their bytes alone")
    values: Array = np.frombuffer(entry["data"], dtype=kind)
    if entry["dtype"] == "BF16":  # the upper half of a float32
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return values.reshape(entry["shape"])


def _npz(then: Path, now: Path) -> Iterator[Gap]:
    with np.load(then, allow_pickle=False) as one, np.load(now, allow_pickle=False) as other:
        yield from _arrays(one, other)


def _png(then: Path, now: Path) -> Iterator[Gap]:
    from PIL import Image

    with Image.open(then) as one, Image.open(now) as other:
        before, after = np.asarray(one), np.asarray(other)
    if before.shape != after.shape:
        raise Unlike("the picture has another size")
    levels = int(np.abs(before.astype(np.int16) - after.astype(np.int16)).max(initial=0))
    if levels > LEVELS:
        raise Unlike(f"a point of the picture differs by {levels} levels")
    # What it is drawn from is compared with the other files: a level is no more than a rounding.
    yield Gap()


@dataclass(slots=True)
class _Column:
    """What was seen of one column of numbers so far."""

    name: str
    low: float = math.inf
    high: float = -math.inf
    absolute: float = 0.0

    def add(self, then: str, now: str) -> None:
        one, other = _number(then), _number(now)
        if one is not None:
            self.low, self.high = min(self.low, one), max(self.high, one)
        if then == now:
            return
        if one is None or other is None or (_WHOLE.fullmatch(then) and _WHOLE.fullmatch(now)):
            raise Unlike(f"the column {self.name} differs in something that is no fraction")
        self.absolute = max(self.absolute, abs(other - one))

    def gap(self) -> Gap:
        return _gap(self.name, self.absolute, self.low, self.high) if self.absolute else Gap(where=self.name)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _csv(then: Path, now: Path) -> Iterator[Gap]:
    with then.open(encoding="utf-8", newline="") as one, now.open(encoding="utf-8", newline="") as other:
        before, after = csv.reader(one), csv.reader(other)
        header = next(before, [])
        if header != next(after, []):
            raise Unlike("it has other columns")
        columns = [_Column(name) for name in header]
        for left, right in zip_longest(before, after, fillvalue=_MISSING):
            if not isinstance(left, list) or not isinstance(right, list) or not len(left) == len(right) == len(columns):
                raise Unlike("it has another number of records or cells")
            for column, was, is_ in zip(columns, left, right, strict=True):
                column.add(was, is_)
    yield from (column.gap() for column in columns)


class _Digits(str):
    """A number of JSON as it is written."""

    __slots__ = ()


def _jsonl(then: Path, now: Path) -> Iterator[Gap]:
    columns: dict[str, _Column] = {}
    with then.open(encoding="utf-8") as one, now.open(encoding="utf-8") as other:
        for left, right in zip_longest(one, other):
            if left is None or right is None:
                raise Unlike("it has another number of records")
            before, after = dict(_leaves("", left)), dict(_leaves("", right))
            if list(before) != list(after):
                raise Unlike("a record has other keys or lists of another length")
            for name, was in before.items():
                columns.setdefault(name, _Column(name)).add(was, after[name])
    yield from (column.gap() for column in columns.values())


def _leaves(name: str, line: str) -> Iterator[tuple[str, str]]:
    """What stands at the ends of one record; a text in its quotes, so that it is never taken for a number."""
    waiting: list[tuple[str, object]] = [(name, json.loads(line, parse_float=_Digits, parse_int=_Digits))]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{name}.{key}".lstrip("."), item) for key, item in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(f"{name}.{at}", item) for at, item in reversed(list(enumerate(value)))]
        else:
            yield name, value if isinstance(value, _Digits) else json.dumps(value)


def _parquet(then: Path, now: Path) -> Iterator[Gap]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        one, other = parquet.read_table(then), parquet.read_table(now)
    except pa.ArrowException as error:
        raise ValueError(str(error)) from None
    if not one.schema.equals(other.schema, check_metadata=True) or one.num_rows != other.num_rows:
        raise Unlike("it has other columns, or another number of records")
    for name in one.column_names:
        before, after = one.column(name).combine_chunks(), other.column(name).combine_chunks()
        while pa.types.is_fixed_size_list(before.type):
            before, after = before.flatten(), after.flatten()
        if pa.types.is_floating(before.type):
            yield array_gap(name, _with_gaps(before), _with_gaps(after))
        elif not before.equals(after):
            raise Unlike(f"the column {name} differs in something that is no fraction")


def _with_gaps(column: Any) -> Array:  # noqa: ANN401 - pyarrow has no types of its own
    """Fractions, with NaN where there is none."""
    return np.asarray(column.to_numpy(zero_copy_only=False))
