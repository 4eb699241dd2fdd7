"""The table of metrics, and the one entry that measures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from synthspec.diag import did_you_mean
from synthspec.ir.evidence import Figure
from synthspec.metrics import (
    condition_accuracy,
    counting,
    covg,
    density,
    fid,
    kid,
    latency,
    membership,
    mmd,
    mode_drop,
    precision,
    recall,
    w1,
)
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import UnmeasurableError, absent
from synthspec.metrics.request import Request

METRICS: Mapping[str, Callable[[Bench], Figure]] = {
    "FID": fid.measure,
    "KID": kid.measure,
    "MI": membership.measure,
    "MMD": mmd.measure,
    "W1": w1.measure,
    "condition_accuracy": condition_accuracy.measure,
    "covg": covg.measure,
    "density": density.measure,
    "latency_ms_p99": latency.measure,
    "mode_drop": mode_drop.measure,
    "precision": precision.measure,
    "recall": recall.measure,
}


def measure(names: Iterable[str], request: Request) -> tuple[Figure, ...]:
    """Measure each of `names` once, in the order given.

    A name is one of `METRICS` or of `request.counted`. What cannot be measured is a figure without a value that says
    why; a user's fault never raises. Deterministic: the same names and request give the same figures.
    """
    bench = Bench(request)
    return tuple(_one(name, bench) for name in dict.fromkeys(names))


def _one(name: str, bench: Bench) -> Figure:
    counted = {entry.name: entry for entry in bench.request.counted}
    try:
        if name in counted:
            return counting.measure(counted[name])
        if name in METRICS:
            return METRICS[name](bench)
    except UnmeasurableError as error:
        return absent(name, str(error))
    except np.linalg.LinAlgError as error:
        return absent(name, f"numerically degenerate: {error}")
    return absent(name, f"nothing measures {name}; {did_you_mean(name, [*METRICS, *counted])}")
