"""P405-9: which rows are train, val and test; each row is in one of them, or in a gap and in none."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.artifacts import DATA, read_report
from synthspec.backend.dataset import Column, Dataset, Rows, read_dataset, write_rows
from synthspec.backend.protocol import Artifact, Context, DataError
from synthspec.execute.core.expressions import readable
from synthspec.ir.ops import Split
from synthspec.ir.schema import Field, Schema
from synthspec.spec.data import ColumnSplit, HashSplit, RandomSplit, TimeSplit
from synthspec.text import counted

SPLITS = ("train", "val", "test")
_NONE = -1
Rule = HashSplit | RandomSplit | TimeSplit | ColumnSplit
Places = NDArray[np.int8]
"""0, 1, 2 for train, val, test; -1 for none."""


def split(op: Split, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Write ``split.safetensors``.

    Raises DataError (`P405-9.*`, `schema.not-found`) when the column it goes by is missing or a split comes out empty.
    """
    data = inputs["data"]
    write_rows(context.out, rows_of(op, read_dataset(data.path(DATA)), read_report(data.path("schema.json"), Schema)))


def rows_of(op: Split, dataset: Dataset, schema: Schema) -> Rows:
    """The rows of each split, sorted."""
    places = _places(op.rule, dataset, schema)
    _none_empty(op.rule, places)
    train, val, test = (np.flatnonzero(places == number).astype(np.int64) for number in range(3))
    return Rows(train=train, val=val, test=test)


def _places(rule: Rule, dataset: Dataset, schema: Schema) -> Places:
    match rule:
        case HashSplit():
            return by_hash(rule, *_column(rule.key, dataset, schema))
        case RandomSplit():
            return at_random(rule, len(dataset))
        case TimeSplit():
            return by_time(rule, *_column(rule.key, dataset, schema))
        case ColumnSplit():
            return by_column(*_column(rule.column, dataset, schema))


def _column(name: str, dataset: Dataset, schema: Schema) -> tuple[Field, Column]:
    if name not in dataset.columns:
        message = f"the data are split by {name!r}, which is no field of the SRef"
        raise DataError("schema.not-found", message, "declare it in the SRef, so that it is read with the data")
    return schema.field(name), dataset[name]


def _none_empty(rule: Rule, places: Places) -> None:
    shares = (1.0, 0.0, 0.0) if isinstance(rule, ColumnSplit) else _shares(rule)
    empty = [name for number, name in enumerate(SPLITS) if shares[number] > 0 and not (places == number).any()]
    if empty:
        message = f"no row falls into {' and '.join(empty)} ({counted(len(places), 'row')} in all)"
        raise DataError("P405-9.split-empty", message, "give the split a larger share, a smaller gap, or more data")


def _shares(rule: HashSplit | RandomSplit | TimeSplit) -> tuple[float, float, float]:
    return rule.train, rule.val, rule.test


def by_hash(rule: HashSplit, field: Field, column: Column) -> Places:
    """Row i goes where the keyed hash of its key falls, so it stays there when others come or go."""
    seed = rule.seed.to_bytes(8, "big")
    edges = [round(edge * 2**64) for edge in _edges(rule)]
    hashes = (
        int.from_bytes(blake2b(text.encode(), digest_size=8, key=seed, person=b"synthspec.split").digest(), "big")
        for text in key_texts(field, column)
    )
    return np.fromiter(
        (next((n for n, edge in enumerate(edges) if h < edge), _NONE) for h in hashes), np.int8, len(column)
    )


def key_texts(field: Field, column: Column) -> list[str]:
    """The value of each row as text that does not depend on the codes or the dtype it is stored with."""
    if field.dtype == "timestamp":
        return [str(instant) for instant in column.tolist()]
    meant = readable(field, column)
    values = meant if isinstance(meant, list) else meant.tolist()
    return [str(int(value)) if isinstance(value, float) and value.is_integer() else str(value) for value in values]


def _edges(rule: HashSplit | RandomSplit | TimeSplit) -> tuple[float, float, float]:
    """Upper edges of the three shares on [0, 1]; shares that add up to one but for rounding end at exactly one."""
    train, val, test = _shares(rule)
    total = train + val + test
    return train, train + val, 1.0 if abs(total - 1.0) < 1e-9 else total


def _counts(rule: RandomSplit | TimeSplit, rows: int) -> tuple[int, int, int]:
    """Where the three splits end among `rows` ordered rows."""
    first, second, third = (round(edge * rows) for edge in _edges(rule))
    return first, second, third


def at_random(rule: RandomSplit, rows: int) -> Places:
    """A permutation by raw Philox numbers, whose stream numpy promises to keep; then blocks of the shares."""
    order = np.argsort(np.random.Philox(key=rule.seed).random_raw(rows), kind="stable")
    places = np.full(rows, _NONE, np.int8)
    begin = 0
    for number, end in enumerate(_counts(rule, rows)):
        places[order[begin:end]] = number
        begin = end
    return places


def by_time(rule: TimeSplit, field: Field, column: Column) -> Places:
    """Train before val before test along the key; what lies within `gap` after a split belongs to none.

    Rows of one instant are never torn apart: they all go with the earlier split.
    """
    if (
        column.ndim != 1
        or field.dtype in {"categorical", "string", "bool"}
        or np.isnan(column.astype(np.float64)).any()
    ):
        message = f"{field.name!r} does not order the rows in time"
        raise DataError("P405-9.split-key", message, "split along an instant or a number that every record has")
    ordered = np.sort(column)
    gap = _gap(rule, field, column)
    places = np.full(len(column), _NONE, np.int8)
    after = np.ones(len(column), bool)
    for number, count in enumerate(_counts(rule, len(column))):
        if not count:
            continue
        last = ordered[count - 1]
        inside = after & (column <= last)
        places[inside] = number
        if inside.any():
            # Differences, not sums: an instant near the end of its range must not wrap around.
            after = (column > last) & ((column - last) > gap)
    return places


def _gap(rule: TimeSplit, field: Field, column: Column) -> float | int:
    """The gap in what `column` counts: nanoseconds for instants, else the field's unit."""
    if rule.gap is None:
        return 0
    if field.dtype == "timestamp":
        return round(rule.gap.si * 1e9)
    if not field.unit:
        message = f"a gap of {rule.gap} needs a unit of time on {field.name!r}"
        raise DataError("P405-9.split-key", message, "declare the unit of the field in the SRef")
    return rule.gap.to(field.unit) if column.dtype.kind == "f" else round(rule.gap.to(field.unit))


def by_column(field: Field, column: Column) -> Places:
    """The data say where each row belongs; a row that says nothing belongs nowhere."""
    place = {name: number for number, name in enumerate(SPLITS)} | {"None": _NONE, "": _NONE}
    texts = key_texts(field, column)
    unknown = sorted({text for text in texts if text not in place})
    if unknown:
        message = f"{field.name!r} holds {unknown[0]!r}, which names no split"
        raise DataError("P405-9.split-key", message, "write train, val or test in every row, or nothing")
    return np.fromiter((place[text] for text in texts), np.int8, len(texts))
