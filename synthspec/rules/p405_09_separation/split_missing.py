"""The data are not split.

Why: what is trained on cannot be judged with. Train, validation and test are told apart by a stated rule before anything is
    read, and each of them has records.

Refs: P405-9; M40-5.2

Bad without data.split:

Good:
    data.split: {method: hash, key: rid, train: 0.70, val: 0.15, test: 0.15, seed: 11}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import did_you_mean
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.spec.data import ColumnSplit, HashSplit, RandomSplit, Split, TimeSplit
from synthspec.spec.sref import SRefField

_SPLITS = frozenset({"train", "val", "test", ""})


@rule(code="P405-9.split-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    split = resolved.spec.data.split
    if split is None:
        advice = "write split: {method: hash, key: <key>, train: 0.70, val: 0.15, test: 0.15}"
        yield Finding(at("data", "split"), "the data are not split", advice)
        return
    if not isinstance(split, ColumnSplit):
        for part in ("train", "val", "test"):
            if getattr(split, part) == 0:
                yield Finding(at("data", "split", part), f"the {part} split is empty", "give it a share above 0")
    key, by = _named_by(split)
    field = None if by is None else resolved.sref.field(by)
    if isinstance(split, ColumnSplit) and field is not None and (stray := _stray(field)):
        advice = "name a field of dtype string or categorical that says train, val or test of each record"
        yield Finding(at("data", "split", key), f"{by!r} {stray}, which names no split", advice)
    if by is not None and field is None:
        advice = did_you_mean(by, (field.name for field in resolved.sref.fields))
        advice += " (a column of the data is declared in the SRef first)"
        yield Finding(at("data", "split", key), f"there is no field {by!r} to split by", advice)


def _stray(field: SRefField) -> str:
    """What a field can be that names no split; empty where it says nothing but train, val or test, or any text."""
    if field.dtype not in {"string", "categorical"}:
        return f"is of dtype {field.dtype}"
    return next((f"can be {member!r}" for member in field.enum or () if member not in _SPLITS), "")


def _named_by(split: Split) -> tuple[str, str | None]:
    """The key of `split` that names a field, and the field."""
    match split:
        case ColumnSplit():
            return "column", split.column
        case HashSplit() | TimeSplit():
            return "key", split.key
        case RandomSplit():
            return "key", None
