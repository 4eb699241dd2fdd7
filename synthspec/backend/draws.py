"""Random numbers that do not depend on who computes them, and the conditions drawn with them (P405-8).

Every number is a function of (seed, stream, block, index, place): Philox4x64-10 (Salmon et al. 2011) with the key
``(seed, stream)`` and the counter starting at ``(0, 0, index, block)``, least significant word first. The generator
counts up the first word, so no two cells overlap. Importing this module imports numpy.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.columns import column_dtype, member_index, spelled, stored_members
from synthspec.backend.dataset import Column, Dataset
from synthspec.backend.protocol import DataError
from synthspec.ir.ops import Sample
from synthspec.ir.schema import Field
from synthspec.spec.conditioning import Variable


class Stream(IntEnum):
    """What a number is for. The values are part of the format: they are never renumbered."""

    START = 1
    """What a block starts from: its content, or x_T."""
    STEP = 2
    """The noise of one solver step of a block; `index` is the step."""
    CONDITION = 3
    """The conditions of a block; `index` is 0 for the training row, 1, 2, ... for those drawn on their own."""
    INIT = 4
    """The first weights of a network; this and the following have no blocks."""
    ORDER = 5
    """The order of the training rows in each epoch."""
    TRAIN = 6
    """What the training steps draw."""
    VALIDATE = 7
    """What every validation of a training shares."""
    TIME = 8
    """The spacings of the published records in time."""
    DISTILL = 9
    """The noise from which a teacher makes what its student learns on: never that of the records that are judged."""
    RELEASED = 10
    """Records that are drawn from noisy statistics: which of them (`index` 0), and their values (1)."""
    REFER = 11
    """The keys of other tables that published records point to; `index` is the place of the foreign key."""


def generator(seed: int, stream: Stream, block: int, index: int = 0) -> np.random.Generator:
    """The generator of one cell. Raises OverflowError unless all fit into 64 bits without sign."""
    key = np.array([seed, int(stream)], dtype=np.uint64)
    counter = np.array([0, 0, index, block], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def named(seed: int, purpose: str) -> np.random.Generator:
    """A Philox generator keyed by the SHA-256 of `seed` and `purpose`: for what judges records and makes none."""
    key = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:16]
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))


def within(field: Field, values: NDArray[np.floating]) -> Column:
    """`values` as the column of `field`: whole where its type is, clipped to its range, in its dtype."""
    dtype = np.dtype(column_dtype(field))
    if dtype.kind in "iu":
        low, high = field.range or (-np.inf, np.inf)
        whole = np.clip(np.rint(values), np.ceil(low), np.floor(high))
        return np.asarray(np.clip(whole, *_whole_ends(dtype)), dtype=dtype)
    stored: Column = values.astype(dtype)
    if field.range is None:
        return stored
    low, high = np.asarray(field.range).astype(dtype)
    return np.clip(stored, low, high)


def _whole_ends(dtype: np.dtype[Any]) -> tuple[float, float]:
    """The least and greatest float64 that `dtype` holds: for int64 the greatest is below 2**63 - 1, which is no float."""
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    return float(low), float(high) if int(float(high)) <= high else float(np.nextafter(float(high), 0))


def uniform(field: Field, rng: np.random.Generator, size: int) -> Column:
    """`size` values of `field`, uniform on its enum or range (on its `resolution` where it has one).

    A number without a range is drawn from [0, 1]: the schema says nothing else of it.
    """
    shape = (size, *field.shape)
    if field.enum:
        return _pick(field, np.ones(len(field.enum)), rng, size)
    if field.dtype == "categorical":
        raise DataError("sref.enum-missing", f"{field.name!r} has no enum to draw from", "list its members in the SRef")
    low, high = field.range or (0.0, 1.0)
    whole = np.dtype(column_dtype(field)).kind in "iu"
    step = field.resolution or (1.0 if whole else None)
    if step is None:
        return within(field, low + (high - low) * rng.random(shape))
    origin = float(np.ceil(low)) if whole else low
    places = int((high - origin) / step + 1e-9)
    return within(field, origin + step * rng.integers(0, places, shape, endpoint=True))


def _pick(field: Field, shares: NDArray[np.float64], rng: np.random.Generator, size: int) -> Column:
    """Members of the enum with the given shares, by inverting their cumulated sum: one uniform number a value."""
    upper = np.cumsum(shares / shares.sum())
    # Rounding must not leave a gap at the end, nor give it to a member without a share.
    upper[int(np.flatnonzero(shares)[-1]) :] = 1.0
    codes = np.searchsorted(upper, rng.random((size, *field.shape)), side="right")
    return np.asarray(stored_members(field))[codes].astype(column_dtype(field))


def draw_conditions(op: Sample, training: Dataset, block: int, size: int) -> dict[str, Column]:
    """The condition columns of the first `size` records of `block`; empirical ones are drawn from the rows of `training`.

    All empirical conditions of a record come from one training row, so that their joint law is kept; rows that lack one
    of them are passed over. Raises DataError when no row is left.
    """
    held, variables = dict(op.condition), dict(op.variables)
    empirical = [name for name in op.fit.conditions if name not in held and variables[name].distribution == "empirical"]
    columns = _from_rows(training, empirical, op, block, size)
    for index, name in enumerate(op.fit.conditions, start=1):
        field = op.fit.schema.field(name)
        if name in held:
            columns[name] = _constant(field, held[name], size)
        elif name not in columns:
            columns[name] = _from_law(field, variables[name], generator(op.seed, Stream.CONDITION, block, index), size)
    return columns


def _from_rows(training: Dataset, names: list[str], op: Sample, block: int, size: int) -> dict[str, Column]:
    if not names:
        return {}
    known = np.flatnonzero(np.logical_and.reduce([_known(op.fit.schema.field(n), training[n]) for n in names]))
    if not len(known):
        raise DataError(
            "data.no-conditions",
            f"no training row has {', '.join(names)}",
            "give the training split a larger share, or another distribution under conditioning.variables",
        )
    u = generator(op.seed, Stream.CONDITION, block).random(size)
    rows = known[(u * len(known)).astype(np.int64)]
    return {name: training[name][rows] for name in names}


def _known(field: Field, column: Column) -> NDArray[np.bool_]:
    """Which rows have a value: no -1 code, no NaN."""
    flat = column.reshape(len(column), -1)
    missing = flat == -1 if field.dtype == "categorical" else np.not_equal(flat, flat)
    return np.asarray(~missing.any(axis=1))


def _constant(field: Field, value: str | float, size: int) -> Column:
    index = member_index(field, value) if field.enum else None
    stored = value if index is None else stored_members(field)[index]
    return np.full((size, *field.shape), stored, dtype=column_dtype(field))


def _from_law(field: Field, variable: Variable, rng: np.random.Generator, size: int) -> Column:
    law = variable.distribution
    if not isinstance(law, dict):
        return uniform(field, rng, size)
    return _pick(field, np.array([law.get(spelled(member), 0.0) for member in field.enum]), rng, size)
