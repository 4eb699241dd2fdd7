"""MI: what an attacker who sees only the synthetic records learns about who was in the training set."""

from __future__ import annotations

from synthspec.metrics.membership.advantage import ESTIMATOR, measure

__all__ = ["ESTIMATOR", "measure"]
