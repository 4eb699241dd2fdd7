"""Which class a record *shows*: a classifier trained on real training records alone, then frozen.

A support vector machine with a Gaussian kernel: deterministic, no tuning on any other split, within half a percent of
the best on small pictures and tables. Its own error on held-out real records is reported beside what it reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthspec.metrics.bench import Bench, Part
from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.stream import subset

Classes = NDArray[np.intp]

NAME = "svc-rbf-v1"
_MOST = 5000


class Reader:
    """A frozen reader of classes.

    Raises:
        UnmeasurableError: the training records show fewer than two classes.

    """

    def __init__(self, bench: Bench) -> None:
        from sklearn.svm import SVC

        chosen = subset(len(bench.sample("train")), _MOST, bench.rng("classifier/train"))
        shown = labels(bench, "train")[chosen]
        if len(np.unique(shown)) < 2:
            raise UnmeasurableError("the training records show a single class")
        self._bench = bench
        self._machine: Any = SVC(C=10.0, gamma="scale").fit(bench.space("train")[chosen], shown)

    @staticmethod
    def of(bench: Bench) -> Reader:
        """The reader of a bench, trained once."""
        return bench.once("classifier", lambda: Reader(bench))

    def read(self, part: Part) -> Classes:
        """The class index that each record of `part` shows: shape (n,)."""
        return np.asarray(self._machine.predict(self._bench.space(part)), dtype=np.intp)


def labels(bench: Bench, part: Part) -> Classes:
    """Indices into `request.classes` of the labels of one part: shape (n,).

    Raises:
        UnmeasurableError: there are no labels or classes, or a label is none of the classes.

    """
    sample = bench.sample(part)
    if sample.labels is None or not bench.request.classes:
        raise UnmeasurableError(f"the {part} records carry no condition class")
    index = {value: i for i, value in enumerate(bench.request.classes)}
    values = [value.item() if isinstance(value, np.generic) else value for value in sample.labels]
    unknown = sorted({str(value) for value in values if value not in index})
    if unknown:
        raise UnmeasurableError(f"{part} labels outside the declared classes: {', '.join(unknown[:5])}")
    return np.array([index[value] for value in values], dtype=np.intp)
