"""The table of metrics, and the one entry that measures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from synthspec.diag import did_you_mean
from synthspec.ir.evidence import Figure
from synthspec.metrics import (
    acf,
    condition_accuracy,
    counting,
    covg,
    density,
    detection_auc,
    fid,
    fvd,
    kid,
    latency,
    membership,
    memorisation,
    mmd,
    mode_drop,
    precision,
    psd,
    psi,
    recall,
    sliced_w2,
    trtr,
    tstr,
    w1,
)
from synthspec.metrics.bench import Bench
from synthspec.metrics.credentials import credited
from synthspec.metrics.figures import UnmeasurableError, absent
from synthspec.metrics.request import Request

METRICS: Mapping[str, Callable[[Bench], Figure]] = {
    "ACF": acf.measure,
    "FID": fid.measure,
    "FVD": fvd.measure,
    "KID": kid.measure,
    "MI": membership.measure,
    "MMD": mmd.measure,
    "PSD": psd.measure,
    "PSI": psi.measure,
    "TRTR": trtr.measure,
    "TSTR": tstr.measure,
    "W1": w1.measure,
    "condition_accuracy": condition_accuracy.measure,
    "covg": covg.measure,
    "density": density.measure,
    "detection_AUC": detection_auc.measure,
    "latency_ms_p99": latency.measure,
    "memorisation": memorisation.measure,
    "mode_drop": mode_drop.measure,
    "precision": precision.measure,
    "recall": recall.measure,
    "sliced_W2": sliced_w2.measure,
}
ESTIMATORS: Mapping[str, str] = {
    "ACF": acf.ESTIMATOR,
    "FID": fid.ESTIMATOR,
    "FVD": fvd.ESTIMATOR,
    "KID": kid.ESTIMATOR,
    "MI": membership.ESTIMATOR,
    "MMD": mmd.ESTIMATOR,
    "PSD": psd.ESTIMATOR,
    "PSI": psi.ESTIMATOR,
    "TRTR": trtr.ESTIMATOR,
    "TSTR": tstr.ESTIMATOR,
    "W1": w1.ESTIMATOR,
    "condition_accuracy": condition_accuracy.ESTIMATOR,
    "covg": covg.ESTIMATOR,
    "density": density.ESTIMATOR,
    "detection_AUC": detection_auc.ESTIMATOR,
    "latency_ms_p99": latency.ESTIMATOR,
    "memorisation": memorisation.ESTIMATOR,
    "mode_drop": mode_drop.ESTIMATOR,
    "precision": precision.ESTIMATOR,
    "recall": recall.ESTIMATOR,
    "sliced_W2": sliced_w2.ESTIMATOR,
}
"""What each figure estimates and how (P405-9)."""
LARGEST = 1e100
"""A value beyond it is no measurement of anything, and its square has no float."""


def measure(names: Iterable[str], request: Request) -> tuple[Figure, ...]:
    """Measure each of `names` once, in the order given.

    A name is one of `METRICS` or of `request.counted`. What cannot be measured is a figure without a value that says
    why; a user's fault never raises. Deterministic: the same names and request give the same figures.
    """
    bench, beyond = Bench(request), _beyond(request)
    return tuple(_one(name, bench, beyond) for name in dict.fromkeys(names))


def _beyond(request: Request) -> str:
    """Why nothing can be compared; empty when the squares of all values and their sums are numbers."""
    parts = {"train": request.train, "val": request.val, "test": request.test, "synthetic": request.synthetic}
    for name, sample in parts.items():
        if sample is None or sample.content.dtype.kind != "f" or not sample.content.size:
            continue
        # As doubles: a bound beyond the floats of the content would overflow on its way into their type.
        largest = max(
            float(np.fmax.reduce(sample.content, axis=None)), -float(np.fmin.reduce(sample.content, axis=None))
        )
        if largest > LARGEST:
            return f"the {name} records have a value of {largest:.3g}; beyond {LARGEST:g} nothing is squared"
    return ""


def _one(name: str, bench: Bench, beyond: str) -> Figure:
    counted = {entry.name: entry for entry in bench.request.counted}
    if beyond and name in METRICS and name not in counted and name != "latency_ms_p99":
        return absent(name, beyond)
    try:
        if name in counted:
            return credited(counting.measure(counted[name]), counting.ESTIMATOR)
        if name in METRICS:
            return credited(METRICS[name](bench), ESTIMATORS[name], bench.request.components)
    except UnmeasurableError as error:
        return absent(name, str(error))
    except np.linalg.LinAlgError as error:
        return absent(name, f"numerically degenerate: {error}")
    return absent(name, f"nothing measures {name}; {did_you_mean(name, [*METRICS, *counted])}")
