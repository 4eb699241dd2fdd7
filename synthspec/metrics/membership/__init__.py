"""MI: what an attacker who sees only the synthetic records learns about who was in the training set."""

from __future__ import annotations

from synthspec.metrics.membership.advantage import ESTIMATOR, measure
from synthspec.metrics.membership.attacks import SUITE

ATTACKS = tuple(SUITE)
"""Names of the attacks, which begin their entries in the details of the figure."""

__all__ = ["ATTACKS", "ESTIMATOR", "measure"]
