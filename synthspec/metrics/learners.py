"""The fixed learners behind metrics that train something: nothing is tuned, everything is seeded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.request import Array

SETTINGS = {"max_iter": 100, "max_leaf_nodes": 15, "min_samples_leaf": 10, "early_stopping": False, "random_state": 0}
"""Of gradient boosting, over scikit-learn's own: smaller trees, because test splits are small."""


def boosted_classifier() -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Gradient boosting with histograms; it reads NaN as a gap."""
    _installed()
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(**SETTINGS)


def boosted_regressor() -> Any:  # noqa: ANN401
    """The same for a number."""
    _installed()
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(**SETTINGS)


def logistic() -> Any:  # noqa: ANN401
    """A ridge-penalised logistic regression of standardised features."""
    _installed()
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000))


def support_vectors() -> Any:  # noqa: ANN401
    """A support vector machine with a Gaussian kernel, for pictures."""
    _installed()
    from sklearn.svm import SVC

    return SVC(C=10.0, gamma="scale")


def readable(learned: Array, judged: Array) -> tuple[Array, Array]:
    """Both without the columns that are nothing but gaps in `learned`, of which a histogram has no bins; zeros for none."""
    seen = ~np.isnan(learned).all(axis=0)
    if not seen.any():
        return np.zeros((len(learned), 1)), np.zeros((len(judged), 1))
    return (learned, judged) if seen.all() else (learned[:, seen], judged[:, seen])


@contextmanager
def one_thread() -> Iterator[None]:
    """Train and predict in here: threads would change the last digits, and cost more than they bring on a busy machine."""
    _installed()
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield


def _installed() -> None:
    """Raises UnmeasurableError where scikit-learn is missing."""
    from importlib.util import find_spec

    if find_spec("sklearn") is None:
        raise UnmeasurableError("this figure trains a classifier, which needs: pip install 'synthspec[data]'")
