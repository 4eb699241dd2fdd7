"""TSTR: train on synthetic, test on real; what a model is worth that has seen synthetic records alone (P402-4)."""

from __future__ import annotations

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.utility import task_of, trained_on, utility

ESTIMATOR = "mean score of five models, each trained on a bootstrap draw; u of test records and draws"


def measure(bench: Bench) -> Figure:
    """The score on the reference split of models trained on synthetic records.

    `null` is TRTR, the same for real training records, where there are any: no generator is owed more. Its difference,
    ``delta_down = TRTR - TSTR`` (Ch. 12), and the ratio stand in the details.
    """
    if bench.request.train is None:
        return utility(bench, "TSTR", "synthetic", None)
    task = task_of(bench)
    real = float(bench.once("utility/train", lambda: trained_on(bench, task, "train")).each.mean())
    bare = float(bench.once("utility/synthetic", lambda: trained_on(bench, task, "synthetic")).each.mean())
    more = {"delta_down": real - bare} | ({"ratio_to_TRTR": bare / real} if real > 0 else {})
    return utility(bench, "TSTR", "synthetic", real, **more)
