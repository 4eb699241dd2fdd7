"""PSI: the population stability index of each column, in bins that real records alone have set (App D)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.columns import flat, parts
from synthspec.metrics.figures import details
from synthspec.metrics.request import Array, Field
from synthspec.metrics.resampling import resampled

ESTIMATOR = "largest over columns of sum (p - q) ln(p / q), shares by (count + 1/2) / (n + B/2)"
BINS = 10
Counts = NDArray[np.intp]
_LISTED = 32


def measure(bench: Bench) -> Figure:
    """The PSI of the worst column against the reference split, in nats; an average would hide it.

    A number's bins are deciles of the training records (of the reference where there are none), equal ones merged; a
    category is a bin, and so is a gap. Every bin of both sides counts half a record more, so that none is empty. Between
    equal laws PSI / (1/n + 1/m) follows chi^2 with B - 1 degrees of freedom: its 95 % point for the worst column, by
    Bonferroni over the columns, stands in the details as ``null_95``.
    """
    x, y = flat(bench, bench.reference), flat(bench, "synthetic")
    real = flat(bench, bench.frozen_on)
    binned = [Bins.of(field, real[:, i]) for i, field in enumerate(parts(bench.request.fields, x.shape[1]))]
    codes_x, codes_y = (np.column_stack([b.codes(z[:, i]) for i, b in enumerate(binned)]) for z in (x, y))

    def each(a: Array, b: Array) -> Array:
        return np.array([index(a[:, i], b[:, i], bins.count) for i, bins in enumerate(binned)])

    columns = each(codes_x, codes_y)
    worst = int(columns.argmax())
    listed = {f"PSI[{b.name}]": float(v) for b, v in zip(binned, columns, strict=True)}
    bare = Figure(
        name="PSI",
        label=f"PSI[worst of {len(binned)} columns, bins of {bench.frozen_on}]",
        value=None,
        details=(
            *details(bins=BINS, bins_from=bench.frozen_on, smoothing="half a record a bin"),
            *details(worst_column=binned[worst].name, mean=float(columns.mean())),
            *details(null_95=null_quantile([b.count for b in binned], len(x), len(y))),
            *(details(**listed) if len(listed) <= _LISTED else ()),
        ),
    )
    return resampled(bench, bare, codes_x, codes_y, lambda a, b: float(each(a, b).max()))


def index(x: Array, y: Array, count: int) -> float:
    """PSI of two columns of codes 0..count-1 in nats."""
    return psi(np.bincount(x.astype(np.intp), minlength=count), np.bincount(y.astype(np.intp), minlength=count))


def psi(first: Counts, second: Counts) -> float:
    """``sum (p - q) ln(p / q)`` of two histograms of counts, each bin with half a record more."""
    p = (first + 0.5) / (first.sum() + 0.5 * len(first))
    q = (second + 0.5) / (second.sum() + 0.5 * len(second))
    return float(((p - q) * np.log(p / q)).sum())


def null_quantile(counts: list[int], n: int, m: int, level: float = 0.95) -> float:
    """What the worst of columns with `counts` bins stays below at `level` between equal laws of n and m records."""
    tail = (1 - level) / len(counts)
    return float((1 / n + 1 / m) * max(stats.chi2.isf(tail, max(count - 1, 1)) for count in counts))


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """The bins of one column: between its edges, or its categories; the last one for gaps where there may be any."""

    name: str
    edges: Array
    levels: int
    nullable: bool

    @classmethod
    def of(cls, field: Field, real: Array) -> Bins:
        """Deciles of the `real` values, or the categories of `field`."""
        known = real[~np.isnan(real)]
        deciles = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if len(known) else np.zeros(0)
        return cls(field.name, np.zeros(0) if field.levels else deciles, field.levels, field.nullable)

    @property
    def count(self) -> int:
        return (self.levels or len(self.edges) + 1) + self.nullable

    def codes(self, column: Array) -> Array:
        """The bin of each value as a whole number: shape (n,). A value at an edge lies above it: no spike is torn apart."""
        found = column if self.levels else np.searchsorted(self.edges, column, side="right")
        absent = column < 0 if self.levels else np.isnan(column)
        return np.where(absent, self.count - 1, found).astype(np.float64)
