"""TRTR: train on real, test on real; the score that TSTR is held against."""

from __future__ import annotations

from synthspec.ir.evidence import Figure
from synthspec.metrics.bench import Bench
from synthspec.metrics.utility import utility

ESTIMATOR = "mean score of five models, each trained on a bootstrap draw; u of test records and draws"


def measure(bench: Bench) -> Figure:
    """The score on the reference split of models trained on as many real training records as TSTR has synthetic ones."""
    return utility(bench, "TRTR", "train", None)
