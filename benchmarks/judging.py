"""How well synthetic rows pass for real ones: a classifier that tells them apart, one trained on them, and the worst pair.

Rows are arrays float64 [n, D] of codes and numbers, real and synthetic in one encoding, so that no format gives one away.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]
FOLDS = 5
BINS = 20
"""Quantile bins of the real rows that a number is cut into where pairs are compared."""


def detection_auc(real: Rows, made: Rows, categorical: NDArray[np.bool_], seed: int = 0) -> tuple[float, float]:
    """Cross-validated AUC of gradient boosting on `real` against as many of `made`, and its deviation over the folds.

    0.5: nothing tells them apart.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    rng = np.random.default_rng(seed)
    size = min(len(real), len(made))
    x = np.concatenate([real[rng.permutation(len(real))[:size]], made[rng.permutation(len(made))[:size]]])
    y = np.repeat([0, 1], size)
    scores = []
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y):
        model = _boosting(categorical, seed).fit(x[train], y[train])
        scores.append(float(roc_auc_score(y[test], model.predict_proba(x[test])[:, 1])))
    return float(np.mean(scores)), float(np.std(scores))


def utility_auc(made: Rows, real: Rows, target: int, categorical: NDArray[np.bool_], seed: int = 0) -> float:
    """AUC on `real` of gradient boosting that was trained on `made` to tell the column `target` (0 or 1): TSTR.

    With real train rows as `made` it is TRTR, what TSTR is held against.
    """
    from sklearn.metrics import roc_auc_score

    others = np.arange(made.shape[1]) != target
    if len(np.unique(made[:, target])) < 2:
        return 0.5
    model = _boosting(categorical[others], seed).fit(made[:, others], made[:, target])
    return float(roc_auc_score(real[:, target], model.predict_proba(real[:, others])[:, 1]))


def worst_pair(real: Rows, made: Rows, categorical: NDArray[np.bool_]) -> tuple[float, tuple[int, int]]:
    """The least of 1 - TV over the joint laws of all pairs of columns, and its pair; numbers in bins of `real`."""
    binned = [_binned(real[:, j], made[:, j], whole=bool(categorical[j])) for j in range(real.shape[1])]
    best = (2.0, (0, 0))
    for i, j in combinations(range(real.shape[1]), 2):
        best = min(best, (_overlap(binned[i], binned[j]), (i, j)))
    return best


def _binned(real: Rows, made: Rows, *, whole: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if whole:
        return real.astype(np.int64), made.astype(np.int64)
    edges = np.unique(np.quantile(real, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, real, side="right"), np.searchsorted(edges, made, side="right")


def _overlap(
    one: tuple[NDArray[np.int64], NDArray[np.int64]], other: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> float:
    width = int(max(part.max() for part in other)) + 1
    joint = [a * width + b for a, b in zip(one, other, strict=True)]
    size = int(max(part.max() for part in joint)) + 1
    shares = [np.bincount(part, minlength=size) / len(part) for part in joint]
    return float(1.0 - 0.5 * np.abs(shares[0] - shares[1]).sum())


def _boosting(categorical: NDArray[np.bool_], seed: int):  # type: ignore[no-untyped-def]  # noqa: ANN202 - sklearn
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(categorical_features=categorical, random_state=seed, early_stopping=False)
