"""A column of a source as the column of a field: typed, checked, in the field's unit. What does not fit is said by place."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.columns import column_dtype, spelled
from synthspec.backend.dataset import Column
from synthspec.backend.protocol import DataError
from synthspec.execute.core.instants import parse_instant
from synthspec.execute.core.narrowing import fits, nanoseconds, signed
from synthspec.execute.core.table import Raw, Table, Text, bad_value
from synthspec.ir.schema import Field

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL"})
"""Cells that say that there is no value. In text and categories a member of that spelling comes first."""
MAX_TEXT = 1024
"""Bytes of one text value; longer ones are no keys."""

_INTEGER = re.compile(r"[+-]?\d{1,19}(\.0*)?")
_FLOAT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?")
_TRUTH = {"true": 1, "True": 1, "TRUE": 1, "1": 1, "false": 0, "False": 0, "FALSE": 0, "0": 0}
_NULLABLE = "declare `nullable: true`, or fill the gap at the source"

Rows = NDArray[np.intp]
Numeric = NDArray[np.float64] | NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of a source that is to become the column of `field`."""

    table: Table
    name: str
    field: Field
    raw: Raw

    def refuse(self, rows: Rows, what: str, help_text: str) -> NoReturn:
        """Raise the fault of the cells in `rows` (not empty)."""
        raise bad_value(self.table, self.name, rows, what, help_text)

    def check(self, wrong: NDArray[np.bool_], what: str, help_text: str) -> None:
        """Refuse the rows in which any entry is `wrong`; ``{}`` in `what` is the first such entry."""
        if not wrong.any():
            return
        rows = np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))
        first = int(rows[0])
        entries = np.asarray(self.raw[first])[wrong[first]] if wrong.ndim > 1 else [self.raw[first]]
        self.refuse(rows, what.replace("{}", _shown(entries[0])), help_text)


def _shown(entry: object) -> str:
    plain = entry.item() if isinstance(entry, np.generic) else entry
    text = repr(plain)
    return text if len(text) <= 60 else text[:57] + "..."


def bind_column(cells: Cells) -> Column:
    """The column of ``cells.field``. Raises DataError (`schema.bad-value`) with row and column for what does not fit."""
    cells = plain(cells)
    field = cells.field
    if field.dtype == "categorical":
        return _codes(cells)
    if field.dtype == "string":
        return _text(cells)
    if field.dtype == "timestamp":
        return _instants(cells)
    if field.dtype == "bool":
        return _truths(cells)
    return _numbers(cells)


def lacking(cells: Cells) -> NDArray[np.bool_]:
    """Which records lack the value, or any of the values, of ``cells.field``; nothing is refused for that."""
    cells = plain(cells)
    if cells.field.dtype == "string":
        absent = np.array([cell == "" for cell in cells.raw], bool)
    elif cells.field.dtype == "categorical":
        absent = _placed(cells) == -1
    else:
        absent = _absent(replace(cells, field=replace(cells.field, nullable=True)))
    return np.asarray(absent.reshape(len(absent), -1).any(axis=1))


def strange(cells: Cells) -> NDArray[np.bool_]:
    """Which values of ``cells.field`` are none of the members of its enum; a gap is not, nor what is no number at all."""
    cells = plain(cells)
    field = cells.field
    if field.dtype == "categorical":
        return np.asarray(_placed(cells) == _UNKNOWN)
    if field.dtype == "string":
        known = {spelled(member) for member in field.enum}
        return np.array([cell not in known and cell != "" for cell in cells.raw], bool)
    values: NDArray[np.generic] = np.asarray(cells.raw)
    if isinstance(cells.raw, list):
        texts = [cell.strip() for cell in cells.raw]
        values = np.array([float(text) if _FLOAT.fullmatch(text) else np.nan for text in texts], np.float64)
    gap = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
    return np.asarray(~gap & ~np.isin(values, _numeric_members(field)))


def _numeric_members(field: Field) -> NDArray[np.float64]:
    return np.array([float(member) for member in field.enum if not isinstance(member, str)])


def plain(cells: Cells) -> Cells:
    """Text arrays become lists of text, and every array takes the shape of the field."""
    raw, field = cells.raw, cells.field
    shape = () if isinstance(raw, list) else raw.shape[1:]
    if tuple(n for n in shape if n > 1) != tuple(n for n in field.shape if n > 1):
        found = "x".join(map(str, shape)) or "one value"
        wanted = "x".join(map(str, field.shape)) or "one value"
        message = f"{cells.table.name}, column {cells.name!r}: a record has {found}, but {field.name!r} is {wanted}"
        raise DataError("schema.bad-value", message, "make the `shape` of the field what the source has")
    if isinstance(raw, list):
        return cells
    raw = raw.reshape(len(raw), *field.shape)
    if raw.dtype.kind in "US" and not field.shape:
        return Cells(cells.table, cells.name, field, _texts(cells, raw))
    if raw.dtype.kind not in "biufM":
        message = f"{cells.table.name}, column {cells.name!r}: numpy's {raw.dtype} cannot become {field.dtype}"
        raise DataError("schema.bad-value", message, "store numbers, truth values, instants or text")
    return Cells(cells.table, cells.name, field, raw)


def _texts(cells: Cells, raw: NDArray[np.generic]) -> list[str]:
    """Fixed-width text of numpy as text; bytes are UTF-8, as they are in every other source."""
    texts: list[str] = []
    for row, item in enumerate(raw.tolist()):
        try:
            texts.append(item.decode("utf-8") if isinstance(item, bytes) else str(item))
        except UnicodeDecodeError:
            cells.refuse(np.array([row]), f"{_shown(item)} is not UTF-8", "store text, or its bytes in UTF-8")
    return texts


def _absent(cells: Cells) -> NDArray[np.bool_]:
    """Where there is no value; refuses them unless the field is nullable."""
    raw = cells.raw
    if isinstance(raw, list):
        absent = np.fromiter((cell.strip() in MISSING for cell in raw), bool, len(raw))
    elif raw.dtype.kind in "fM":
        absent = np.isnan(raw) if raw.dtype.kind == "f" else np.isnat(raw)
    else:
        absent = np.zeros(raw.shape, bool)
    if not cells.field.nullable:
        cells.check(absent, f"{{}} is no value, and {cells.field.name!r} is not nullable", _NULLABLE)
    return absent


def _numbers(cells: Cells) -> Column:
    dtype = np.dtype(column_dtype(cells.field))
    absent = _absent(cells)
    whole = dtype.kind in "iu"
    values = _parsed(cells, absent, whole=whole)
    cells.check(~absent & ~np.isfinite(values), "{} is not a finite number", "leave the cell empty where there is none")
    if whole:
        cells.check(absent, "an integer column cannot hold a gap", "declare the field float64, or fill the gap")
        cells.check(
            (values != np.rint(values)), "{} is not an integer", "declare a float dtype, or round at the source"
        )
        cells.check(~fits(values, dtype), f"{{}} does not fit into {dtype}", "use a wider dtype")
    _within_range(cells, values)
    _among(cells, values, absent)
    with np.errstate(over="ignore"):
        stored: Column = values.astype(dtype)
    if not whole:
        cells.check(np.isinf(stored.astype(np.float64)), f"{{}} does not fit into {dtype}", "use a wider dtype")
    return stored


def _parsed(cells: Cells, absent: NDArray[np.bool_], *, whole: bool) -> Numeric:
    if not isinstance(cells.raw, list):
        if cells.raw.dtype.kind in "bM":
            what = f"{_shown(cells.raw.flat[0])} is not a number"
            cells.refuse(np.arange(1), what, f"declare {cells.field.name!r} as what it is")
        if cells.raw.dtype.kind == "i" or (cells.raw.dtype.kind == "u" and whole):
            return _signed(cells)
        return cells.raw.astype(np.float64)
    texts = [cell.strip() for cell in cells.raw]
    pattern = _INTEGER if whole else _FLOAT
    wrong = np.fromiter((pattern.fullmatch(text) is None for text in texts), bool, len(texts)) & ~absent
    cells.check(
        wrong, "{} is not " + ("an integer" if whole else "a number"), "write plain numbers, such as 12 or 1.5e-3"
    )
    if not whole:
        return np.array([np.nan if gap else float(text) for text, gap in zip(texts, absent, strict=True)], np.float64)
    exact = [0 if gap else int(text.partition(".")[0]) for text, gap in zip(texts, absent, strict=True)]
    over = np.fromiter((not -(2**63) <= number < 2**63 for number in exact), bool, len(exact))
    cells.check(over, "{} does not fit into 64 bits", "declare the field a string")
    return np.array(exact, np.int64)


def _signed(cells: Cells) -> NDArray[np.int64]:
    """Integers of numpy as int64; those that only an unsigned one holds are refused."""
    values, beyond = signed(np.asarray(cells.raw))
    cells.check(beyond, "{} does not fit into 64 bits with a sign", "store it as text")
    return values


def _within_range(cells: Cells, values: Numeric) -> None:
    if cells.field.range is None:
        return
    low, high = cells.field.range
    unit = f" {cells.field.unit}" if cells.field.unit not in {"", "1", "dimensionless"} else ""
    # NaN compares false with everything: a gap is not outside.
    outside = np.asarray((values < low) | (values > high))
    what = f"{{}} is outside the range [{low:g}, {high:g}]{unit} of {cells.field.name!r}"
    cells.check(outside, what, "correct the record, or widen the range if such values are right")


def _among(cells: Cells, values: Numeric, absent: NDArray[np.bool_]) -> None:
    if cells.field.enum:
        members = _numeric_members(cells.field)
        what = f"{{}} is not in the enum of {cells.field.name!r}"
        cells.check(~absent & ~np.isin(values, members), what, "correct the record, or add it to the enum")


def _truths(cells: Cells) -> Column:
    absent = _absent(cells)
    cells.check(absent, "a truth value cannot be absent", "declare the field categorical, with an enum")
    if isinstance(cells.raw, list):
        found = [_TRUTH.get(cell.strip(), 2) for cell in cells.raw]
        values = np.array(found, np.uint8)
    else:
        values = np.where(cells.raw == 0, 0, np.where(cells.raw == 1, 1, 2)).astype(np.uint8)
    cells.check(values == 2, "{} is neither true nor false", "write true or false")
    return values


def _codes(cells: Cells) -> Column:
    """Places in the enum as int64, -1 for no value."""
    field = cells.field
    if not field.enum:
        message = f"{field.name!r} is categorical without an enum, so its values have no codes"
        raise DataError("schema.bad-value", message, "list the members under `enum`")
    codes = _placed(cells)
    members = ", ".join(map(spelled, field.enum[:12])) + (", ..." if len(field.enum) > 12 else "")
    cells.check(
        codes == _UNKNOWN, f"{{}} is not in the enum of {field.name!r} ({members})", "add it to the enum, or correct it"
    )
    if not field.nullable:
        cells.check(codes == -1, f"{{}} is no value, and {field.name!r} is not nullable", _NULLABLE)
    return codes


_UNKNOWN = -2


def _placed(cells: Cells) -> NDArray[np.int64]:
    """Places in the enum, -1 for no value, -2 for one that is no member."""
    code = {spelled(member): number for number, member in enumerate(cells.field.enum)}
    if isinstance(cells.raw, list):
        return np.array([_code(cell, code) for cell in cells.raw], np.int64)
    distinct, place = np.unique(cells.raw, return_inverse=True)
    found = [_code(_spelled_number(item), code) for item in distinct.tolist()]
    return np.array(found, np.int64)[place.reshape(cells.raw.shape)]


def _code(text: str, code: dict[str, int]) -> int:
    """The code of a cell: as it is written, trimmed, or as the number that it spells; -1 for no value."""
    for spelling in (text, text.strip()):
        if spelling in code:
            return code[spelling]
    text = text.strip()
    if text in MISSING:
        return -1
    if text in {"True", "TRUE", "False", "FALSE"}:
        return code.get(text.lower(), _UNKNOWN)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return code.get(_spelled_number(number), code.get(repr(number), _UNKNOWN))
    return _UNKNOWN


def _spelled_number(item: object) -> str:
    if isinstance(item, float) and item.is_integer():
        return str(int(item))
    return str(item).lower() if isinstance(item, bool) else str(item)


def _text(cells: Cells) -> Column:
    """UTF-8 bytes, zero-padded to the longest: uint8 of shape (rows, width)."""
    if not isinstance(cells.raw, list):
        numbers = np.asarray(cells.raw)
        if numbers.dtype.kind not in "iu":
            cells.refuse(np.arange(1), f"{numbers.dtype} is not text", "store text, or declare a number")
        cells = Cells(cells.table, cells.name, cells.field, [str(number) for number in numbers.tolist()])
    raw = list(cells.raw)
    if not cells.field.nullable:
        cells.check(np.array([cell == "" for cell in raw], bool), f"{cells.field.name!r} is empty", _NULLABLE)
    _text_enum(cells, raw)
    encoded = [cell.encode("utf-8", "surrogatepass") for cell in raw]
    cells.check(np.array([b"\0" in item for item in encoded], bool), "{} has a NUL character", "remove it")
    width = max(map(len, encoded), default=0)
    long = np.array([len(item) > MAX_TEXT for item in encoded], bool)
    cells.check(long, f"a text of more than {MAX_TEXT} bytes", "free text is not read yet: declare what is a category")
    padded = b"".join(item.ljust(max(width, 1), b"\0") for item in encoded)
    return np.frombuffer(padded, np.uint8).reshape(len(encoded), max(width, 1))


def _text_enum(cells: Cells, raw: Text) -> None:
    if cells.field.enum:
        known = {spelled(member) for member in cells.field.enum}
        unknown = np.array([cell not in known and cell != "" for cell in raw], bool)
        cells.check(unknown, f"{{}} is not in the enum of {cells.field.name!r}", "add it to the enum, or correct it")


def _instants(cells: Cells) -> Column:
    """Nanoseconds since 1970-01-01T00:00Z as int64."""
    absent = _absent(cells)
    cells.check(absent, "an instant cannot be absent", "fill the gap at the source")
    if not isinstance(cells.raw, list):
        if cells.raw.dtype.kind == "M":
            instants, other = nanoseconds(cells.raw)
            cells.check(other, "{} is no whole nanosecond in the years 1678 to 2261", "store datetime64[ns]")
            return instants
        if cells.raw.dtype.kind in "iu":
            return _signed(cells)
        cells.refuse(
            np.arange(1), f"{cells.raw.dtype} is no instant", "store datetime64, or int64 nanoseconds since 1970"
        )
    found = [parse_instant(cell.strip()) for cell in cells.raw]
    for number, instant in enumerate(found):
        if isinstance(instant, str):
            cells.refuse(np.array([number]), f"{_shown(cells.raw[number])} {instant}", "write 2026-01-31T23:59:59.5Z")
    return np.array(found, np.int64)
