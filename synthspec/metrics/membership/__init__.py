"""MI: what an attacker who sees the synthetic records, and the engine where it can be asked, learns of who was trained on."""

from __future__ import annotations

from synthspec.metrics.membership.advantage import ESTIMATOR, measure
from synthspec.metrics.membership.attacks import ENGINE, SUITE

ATTACKS = (*SUITE, ENGINE)
"""Names of the attacks, which begin their entries in the details of the figure; the last one only where an engine scores."""

__all__ = ["ATTACKS", "ESTIMATOR", "measure"]
