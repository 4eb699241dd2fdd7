"""condition_accuracy: the share of synthetic records that show the class that was requested (P405-2)."""

from __future__ import annotations

import math

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.classifier import NAME, Reader, labels
from synthspec.metrics.figures import details
from synthspec.metrics.intervals import wilson

ESTIMATOR = "share of records that a frozen classifier reads as requested"


def measure(bench: Bench) -> Figure:
    """Accuracy of the frozen classifier on synthetic records against the requested classes, with Wilson bounds.

    `null` is its accuracy on the real reference split, which a perfect generator would show.
    """
    reader = Reader.of(bench)
    right = reader.read("synthetic") == labels(bench, "synthetic")
    null = float((reader.read(bench.reference) == labels(bench, bench.reference)).mean())
    n, count = len(right), int(right.sum())
    value = count / n
    lower, upper = wilson(count, n)
    return Figure(
        name="condition_accuracy",
        label=f"condition_accuracy[{NAME}]",
        value=value,
        u=math.sqrt(value * (1 - value) / n),
        lower=lower,
        upper=upper,
        method="wilson",
        n_real=len(bench.sample(bench.reference)),
        n_syn=n,
        split=bench.reference,
        null=null,
        details=details(classifier=NAME, trained_on="train", classes=len(bench.request.classes)),
    )
