"""latency_ms_p99: the 99th percentile of timed requests with a distribution-free upper bound (C40-514)."""

from __future__ import annotations

import math

import numpy as np

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.figures import Z95, UnmeasurableError, details
from synthspec.metrics.intervals import quantile_ranks

ESTIMATOR = "order statistic of timed requests"

Q = 0.99
_NS_PER_MS = 1e6


def measure(bench: Bench) -> Figure:
    """p99 in ms. The upper bound is an order statistic and exists from 299 requests on; below, the claim is unproven.

    Raises:
        UnmeasurableError: nothing was timed, or a duration is negative.

    """
    timed = bench.request.latencies
    if timed is None or not len(timed.nanoseconds):
        raise UnmeasurableError("no request was timed")
    ms = np.sort(np.asarray(timed.nanoseconds, dtype=np.float64)) / _NS_PER_MS
    if not np.isfinite(ms).all() or ms[0] < 0:
        raise UnmeasurableError("a duration is negative or not finite")
    n = len(ms)
    low, high = quantile_ranks(n, Q)
    lower = float(ms[low - 1]) if low else None
    upper = float(ms[high - 1]) if high else None
    return Figure(
        name="latency_ms_p99",
        label=f"latency_ms_p99[n={n}]",
        value=percentile(ms, Q),
        unit="ms",
        u=(upper - lower) / (2 * Z95) if upper is not None and lower is not None else None,
        lower=lower,
        upper=upper,
        method="order-statistic",
        n_syn=n,
        details=details(
            n=n,
            p50=percentile(ms, 0.5),
            p95=percentile(ms, 0.95),
            max=float(ms[-1]),
            warm_up=timed.warm_up,
            batch=timed.batch,
            device=timed.device,
            threads=timed.threads,
        ),
        reason="" if high else f"{n} timed requests; an upper bound of the 99th percentile needs 299",
    )


def percentile(ascending: np.ndarray[tuple[int, ...], np.dtype[np.float64]], q: float) -> float:
    """The smallest order statistic with at least a share `q` at or below it."""
    return float(ascending[max(0, math.ceil(q * len(ascending) - 1e-9) - 1)])
