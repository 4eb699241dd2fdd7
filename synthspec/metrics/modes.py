"""The modes of the data law and which of them each record shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synthspec.metrics.bench import Bench
from synthspec.metrics.classifier import NAME, Classes, Reader, labels
from synthspec.metrics.figures import UnmeasurableError
from synthspec.metrics.request import Array
from synthspec.metrics.stream import subset

CLUSTERS = 10
_MOST = 5000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Modes:
    """Modes 0..K-1: what the synthetic and the real reference records show, and the real share of each mode."""

    kind: str
    shares: Array
    """Shares of the modes in the reference split, shape (K,)."""
    synthetic: Classes
    real: Classes
    agreement: float | None
    """How often the reader is right about real reference records; None for clusters, which have no truth."""


def modes(bench: Bench) -> Modes:
    """Condition classes as a classifier reads them where there are labels, else clusters of the training records.

    What a record was *asked* to show is not what it shows, so requested labels are never used. Clusters are k-means
    with K = 10 and a fixed seed on training features (on the reference where there is no training split).
    """
    if bench.request.classes and bench.sample(bench.reference).labels is not None:
        return _classes(bench)
    return _clusters(bench)


def _classes(bench: Bench) -> Modes:
    reader = Reader.of(bench)
    true, real = labels(bench, bench.reference), reader.read(bench.reference)
    return Modes(
        kind=NAME,
        shares=np.bincount(true, minlength=len(bench.request.classes)) / len(true),
        synthetic=reader.read("synthetic"),
        real=real,
        agreement=float((real == true).mean()),
    )


def _clusters(bench: Bench) -> Modes:
    from sklearn.cluster import KMeans

    frozen_on = bench.frozen_on
    rng = bench.rng("modes/clusters")
    source = bench.embedded(frozen_on)
    source = source[subset(len(source), _MOST, rng)]
    if len(np.unique(source, axis=0)) < CLUSTERS:
        raise UnmeasurableError(f"fewer than {CLUSTERS} different real records to cluster")
    found: Any = KMeans(CLUSTERS, n_init=4, random_state=int(rng.integers(2**31))).fit(source)
    real = np.asarray(found.predict(bench.embedded(bench.reference)), dtype=np.intp)
    return Modes(
        kind=f"k-means-{CLUSTERS}",
        shares=np.bincount(real, minlength=CLUSTERS) / len(real),
        synthetic=np.asarray(found.predict(bench.embedded("synthetic")), dtype=np.intp),
        real=real,
        agreement=None,
    )
