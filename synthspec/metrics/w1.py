"""W1: the one-dimensional Wasserstein distance of each column, in training standard deviations (S412-4, App D)."""

from __future__ import annotations

import numpy as np

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.columns import flat, parts
from synthspec.metrics.figures import Z95, UnmeasurableError, details
from synthspec.metrics.request import Array, Field
from synthspec.metrics.stream import halves

ESTIMATOR = "mean over columns of the plug-in distance; biased up by what `null` shows"

_LEAST = 30
_NULL_CUTS = 8
_LISTED = 32
_WORK = 20_000_000


def measure(bench: Bench) -> Figure:
    """The mean over columns of W1 against the reference split.

    A number's distance is divided by its standard deviation in the training split, so columns of different units may be
    averaged; a category's distance is the total variation of its shares (W1 under the 0/1 cost), and a gap costs 1
    like any other category. u is a bootstrap over records. The columns stand in the details, at most 32 of them.

    Raises:
        UnmeasurableError: fewer than 30 records on either side.

    """
    x, y = flat(bench, bench.reference), flat(bench, "synthetic")
    if min(len(x), len(y)) < _LEAST:
        raise UnmeasurableError(f"{len(x)} real and {len(y)} synthetic records; {_LEAST} of each are needed")
    scaled_by = bench.frozen_on
    columns = _Columns(bench.request.fields, flat(bench, scaled_by))
    each = columns.distances(x, y)
    value = float(each.mean())
    u = _bootstrap(columns, x, y, bench.rng("W1/bootstrap"))
    cuts = halves(len(x), _NULL_CUTS, bench.rng("W1/null"))
    worst = int(each.argmax())
    listed = {f"W1[{name}]": float(w) for name, w in zip(columns.names, each, strict=True)}
    return Figure(
        name="W1",
        label=f"W1[mean of {len(each)} columns, sd of {scaled_by}]",
        value=value,
        u=u,
        lower=value - Z95 * u,
        upper=value + Z95 * u,
        method="bootstrap",
        n_real=len(x),
        n_syn=len(y),
        split=bench.reference,
        null=float(np.mean([columns.distances(x[a], x[b]).mean() for a, b in cuts])),
        details=(
            *details(scale=f"sd of {scaled_by}", worst_column=columns.names[worst], worst=float(each[worst])),
            *(details(**listed) if len(listed) <= _LISTED else ()),
            *details(seed=bench.request.seed),
        ),
    )


def wasserstein(x: Array, y: Array) -> Array:
    """``int |F - G|`` of each column of (n, D) and (m, D): shape (D,)."""
    both = np.concatenate([x, y])
    order = np.argsort(both, axis=0, kind="stable")
    gap = np.cumsum(np.where(order < len(x), 1 / len(x), -1 / len(y)), axis=0)[:-1]
    steps = np.diff(np.take_along_axis(both, order, axis=0), axis=0)
    return np.asarray((np.abs(gap) * steps).sum(axis=0))


class _Columns:
    """The columns of flat content, their kinds and scales."""

    def __init__(self, fields: tuple[Field, ...], frozen: Array) -> None:
        width = frozen.shape[1]
        self._fields = parts(fields, width)
        self.names = [field.name for field in self._fields]
        self._codes = [(i, field.levels) for i, field in enumerate(self._fields) if field.levels]
        self._gaps = [i for i, field in enumerate(self._fields) if field.nullable and not field.levels]
        deviation = np.array([_deviation(column) for column in frozen.T])
        wide = np.array([_width(field) for field in self._fields])
        self._scale = np.where(deviation > 0, deviation, wide)

    def distances(self, x: Array, y: Array) -> Array:
        """The distance of each column: shape (D,)."""
        result = wasserstein(np.nan_to_num(x), np.nan_to_num(y)) / self._scale
        for i in self._gaps:
            result[i] = self._with_gaps(i, x[:, i], y[:, i])
        for i, levels in self._codes:
            codes = np.arange(-1, levels)
            result[i] = 0.5 * np.abs((x[:, i, None] == codes).mean(0) - (y[:, i, None] == codes).mean(0)).sum()
        return result

    def _with_gaps(self, i: int, x: Array, y: Array) -> float:
        """W1 of the values that are there, weighed by the share that is, and the difference of the shares of gaps."""
        known_x, known_y = x[~np.isnan(x)], y[~np.isnan(y)]
        apart = abs(len(known_x) / len(x) - len(known_y) / len(y))
        if not len(known_x) or not len(known_y):
            return apart
        both = min(len(known_x) / len(x), len(known_y) / len(y))
        return apart + both * float(wasserstein(known_x[:, None], known_y[:, None])[0]) / float(self._scale[i])


def _deviation(column: Array) -> float:
    """The standard deviation of the values that are there; 0 for fewer than two."""
    known = column[~np.isnan(column)]
    return float(known.std(ddof=1)) if len(known) > 1 else 0.0


def _width(field: Field) -> float:
    """What a column that never varied is measured in: its range, else its own unit."""
    if field.low is None or field.high is None or field.high <= field.low:
        return 1.0
    return field.high - field.low


def _bootstrap(columns: _Columns, x: Array, y: Array, rng: np.random.Generator) -> float:
    replicates = int(np.clip(_WORK // (x.size + y.size), 20, 100))
    draws = [
        columns.distances(x[rng.integers(len(x), size=len(x))], y[rng.integers(len(y), size=len(y))]).mean()
        for _ in range(replicates)
    ]
    return float(np.std(draws, ddof=1))
