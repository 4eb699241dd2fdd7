"""detection_AUC: how well a classifier tells real from synthetic records that it has not seen (C2ST)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench, Part
from synthspec.metrics.columns import flat, parts
from synthspec.metrics.figures import Z95, UnmeasurableError, details
from synthspec.metrics.learners import boosted_classifier, logistic, one_thread, readable
from synthspec.metrics.request import Array
from synthspec.metrics.stream import Indices, subset

ESTIMATOR = (
    "mean over folds of the out-of-fold AUC, the better of two; u by DeLong, its variance doubled for shared folds"
)
LEAST = 100
FOLDS = 5
_MOST = 5000
_COLUMNS = 512
_ATOM = 50


def measure(bench: Bench) -> Figure:
    """The out-of-fold AUC of gradient boosting or of a logistic regression, whichever is larger; 0.5 for equal laws.

    As many reference as synthetic records, at most 5000 of each, in random order; equal records share a fold, so that a
    copy is never met in training under the other label; values are rounded to the resolution of their field, or to
    float32, so that no file format gives them away. Boosting reads the values, the regression the features. The
    difference to 0.5 counts at the bound: `upper` adds 1.645 u.

    Raises:
        UnmeasurableError: fewer than 100 records on either side; or the AUC is surely below 0.5, which honest records
            cannot be: they were paired one by one with those of the reference split.

    """
    x, y, deep_x, deep_y = _balanced(bench)
    kinds = np.repeat([1, 0], [len(x), len(y)])
    content, features = np.concatenate([x, y]), np.concatenate([deep_x, deep_y])
    fold = folds(content, FOLDS, bench.rng("detection_AUC/folds"))
    learners: Mapping[str, tuple[Array, Callable[[], Any]]] = {
        "gradient_boosting": (content, boosted_classifier),
        "logistic": (features, logistic),
    }
    found = {name: out_of_fold(make, z, kinds, fold) for name, (z, make) in learners.items()}
    best = max(found, key=lambda name: found[name][0])
    value, u = found[best]
    if value + Z95 * u < 0.5:
        raise UnmeasurableError(
            f"AUC {value:.3f}: below one half means that records are paired with the reference split"
        )
    return Figure(
        name="detection_AUC",
        label=f"detection_AUC[{best} of {len(found)}]",
        value=value,
        u=u,
        lower=max(0.0, value - Z95 * u),
        upper=min(1.0, value + Z95 * u),
        method="analytic",
        n_real=len(x),
        n_syn=len(y),
        split=bench.reference,
        null=0.5,
        details=details(
            classifier=best,
            **{f"{name}.auc": auc for name, (auc, _) in found.items()},
            folds=FOLDS,
            extractor=bench.extractor.name,
            seed=bench.request.seed,
        ),
    )


def out_of_fold(make: Callable[[], Any], z: Array, kinds: NDArray[np.intp], fold: Indices) -> tuple[float, float]:
    """AUC and its standard error of a classifier trained, for each fold, on the others. `kinds` is 1 or 0.

    DeLong's variance is of a score that was fixed before its records were seen, and takes the folds for independent.
    They are not: two folds that lean the same way by chance raise each other's AUC, once as training and once as test
    records. Where the laws are equal every AUC is noise, and that brings the variance to about twice DeLong's (1.8 to
    2.2 in simulations of linear and boosted scores of 100 and 300 records a side in 1 to 8 dimensions, where one-sided
    95 % bounds without the factor miss 10 to 16 % of the time); it falls to once as the laws part and the folds come to
    agree on the score. It is doubled for all, which is on the safe side.
    """
    values, variances = [], []
    with one_thread():
        for held in range(FOLDS):
            inside = fold == held
            if min(np.bincount(kinds[side], minlength=2).min() for side in (inside, ~inside)) < 2:
                raise UnmeasurableError("so few different records that a fold would hold those of one side only")
            learned, judged = readable(z[~inside], z[inside])
            machine = make().fit(learned, kinds[~inside])
            score = np.asarray(machine.predict_proba(judged)[:, 1], dtype=np.float64)
            value, variance = delong(score[kinds[inside] == 1], score[kinds[inside] == 0])
            values.append(value)
            variances.append(variance)
    return float(np.mean(values)), math.sqrt(2 * float(np.mean(variances)) / FOLDS)


def delong(positive: Array, negative: Array) -> tuple[float, float]:
    """AUC and its variance from the scores of two samples (DeLong et al. 1988); ties count one half."""
    n, m = len(positive), len(negative)
    both = stats.rankdata(np.concatenate([positive, negative]))
    above = (both[:n] - stats.rankdata(positive)) / m
    below = 1 - (both[n:] - stats.rankdata(negative)) / n
    return float(above.mean()), float(above.var(ddof=1) / n + below.var(ddof=1) / m)


def folds(content: Array, count: int, rng: np.random.Generator) -> Indices:
    """A fold for each of (n, D) records: shape (n,). Equal records share one; sizes differ as little as that allows.

    A value that more than one in `_ATOM` records have is no record that was copied but a part of the law, such as the one
    record that a collapsed generator makes: it is spread over all folds.
    """
    known = np.nan_to_num(content, nan=np.finfo(np.float64).max)  # gaps are equal to each other
    _, group, sizes = np.unique(known, axis=0, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    place = rng.permutation(len(sizes))[group] % count
    for atom in np.flatnonzero(sizes * _ATOM > len(content)):
        place[group == atom] = rng.permutation(int(sizes[atom])) % count
    return np.asarray(place, dtype=np.intp)


def _balanced(bench: Bench) -> tuple[Array, Array, Array, Array]:
    """Values and features of equally many reference and synthetic records."""
    rounded = {part: _rounded(bench, part) for part in (bench.reference, "synthetic")}
    n = min(*map(len, rounded.values()), _MOST)
    if n < LEAST:
        raise UnmeasurableError(f"{n} records of one side; {LEAST} of each are needed")
    chosen = {part: subset(len(z), n, bench.rng(f"detection_AUC/{part}")) for part, z in rounded.items()}
    x, y = (rounded[part][rows] for part, rows in chosen.items())
    deep_x, deep_y = (bench.embedded(part)[rows] for part, rows in _parts(chosen))
    return x, y, deep_x, deep_y


def _parts(chosen: Mapping[Any, Indices]) -> list[tuple[Part, Indices]]:
    return list(chosen.items())


def _rounded(bench: Bench, part: Part) -> Array:
    """Columns at the resolution of their fields; of very long records, evenly spread ones."""
    content = flat(bench, part)
    fields = parts(bench.request.fields, content.shape[1])
    if content.shape[1] > _COLUMNS:
        kept = np.linspace(0, content.shape[1] - 1, _COLUMNS).astype(np.intp)
        content, fields = content[:, kept], tuple(fields[i] for i in kept)
    step = np.array([0.0 if field.levels or field.resolution is None else field.resolution for field in fields])
    coarse = np.rint(content / np.where(step > 0, step, 1.0)) * step
    most = float(np.finfo(np.float32).max)
    return np.where(step > 0, coarse, np.clip(content, -most, most).astype(np.float32).astype(np.float64))
