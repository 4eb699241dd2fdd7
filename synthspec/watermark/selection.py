"""Selection: of each m candidates the one whose keyed score is largest is released (MUSE, ICLR 2026; generators.md 5).

A score is a keyed hash of the record as it is released, so without the key the choice is independent of the content:
the law of what is released stays what it was. With the key, scores of marked records are the largest of m uniform
numbers: ``S = sum of -ln(1 - u)`` over *distinct* records follows Gamma(n, 1) without a mark, exactly.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.dataset import Column, Dataset
from synthspec.ir.schema import Field, Schema

Z_MIN = 5.0
"""A test that even a full mark would not pass with this z is not made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """The test of one file. `p` is exact: the chance of scores this large without the mark."""

    records: int
    distinct: int
    """Different records: repeats tell nothing new, and would make the test believe itself."""
    z: float
    """(S - n) / sqrt(n)."""
    expected_z: float
    """Of a file that was marked with `candidates` and not changed since."""
    p: float
    alpha: float
    candidates: int

    @property
    def able(self) -> bool:
        """Whether there are enough distinct records for a mark to show."""
        return self.expected_z >= Z_MIN

    @property
    def detected(self) -> bool:
        return self.able and self.p < self.alpha


def harmonic(candidates: int) -> float:
    """H_m: the mean of -ln(1 - u) for the largest of m uniform numbers."""
    return math.fsum(1 / k for k in range(1, candidates + 1))


def canonical(schema: Schema, data: Dataset) -> list[bytes]:
    """Each record as bytes: its content and conditions by name, the same for a float32 here and a text file elsewhere."""
    fields = sorted(
        (f for f in schema.fields if f.role in {"content", "condition"} and f.name in data.columns),
        key=lambda field: field.name,
    )
    parts = [_texts(field, data[field.name]) for field in fields]
    return ["\x1f".join(record).encode() for record in zip(*parts, strict=True)] if parts else [b""] * len(data)


def _texts(field: Field, column: Column) -> list[str]:
    values = np.asarray(column)
    if values.ndim > 1:
        return ["\x1e".join(row) for row in (_scalars(field, item.ravel()) for item in values)]
    return _scalars(field, values)


def _scalars(field: Field, values: NDArray[np.generic]) -> list[str]:
    if values.dtype.kind in "iub":
        return [str(int(value)) for value in values]
    if values.dtype.kind != "f":
        return [str(value) for value in values]
    if field.resolution:
        with np.errstate(invalid="ignore"):
            levels = np.rint(np.asarray(values, dtype=np.float64) / field.resolution)
        return ["" if math.isnan(level) else str(int(level)) for level in levels]
    # The shortest text of a number of the field's own width: what was read from a text file comes back to it.
    with np.errstate(over="ignore"):
        own = np.asarray(values, dtype=np.dtype("float64" if field.dtype == "float64" else "float32"))
    return ["" if math.isnan(value) else "0.0" if value == 0 else str(value) for value in own]


def scores(key: bytes, records: Sequence[bytes]) -> NDArray[np.float64]:
    """The keyed score of each record, in (0, 1): HMAC-SHA256, its first 53 bits."""
    out = np.empty(len(records))
    for index, record in enumerate(records):
        head = int.from_bytes(hmac.digest(key, record, hashlib.sha256)[:8], "big") >> 11
        out[index] = (head + 0.5) * 2.0**-53
    return out


def select(values: NDArray[np.float64], groups: NDArray[np.int64], candidates: int) -> NDArray[np.int64]:
    """Of each `candidates` records the one that scores highest; indices in order, [n].

    `values` are scores, [n * candidates]. Records of one group (of one categorical condition) compete with their like as
    far as their number allows, so the shares of the groups stay what they were, but for one record each.
    """
    order = np.argsort(groups, kind="stable").reshape(-1, candidates)
    best = values[order].argmax(axis=1)
    return np.sort(order[np.arange(len(order)), best])


def detect(key: bytes, records: Sequence[bytes], candidates: int, alpha: float) -> Detection:
    """Test `records` for the mark of `key`, made with `candidates`. Raises ValueError when there are none."""
    from scipy.stats import gamma

    distinct = sorted(set(records))
    n = len(distinct)
    if not n:
        raise ValueError("there are no records to test")
    total = float(-np.log1p(-scores(key, distinct)).sum())
    return Detection(
        records=len(records),
        distinct=n,
        z=(total - n) / math.sqrt(n),
        expected_z=math.sqrt(n) * (harmonic(candidates) - 1),
        p=float(gamma.sf(total, n)),
        alpha=alpha,
        candidates=candidates,
    )
