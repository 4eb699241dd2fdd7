"""MI: what an attacker who sees only the synthetic records learns about who was in the training set."""

from __future__ import annotations

from synthspec.metrics.membership.advantage import measure

__all__ = ["measure"]
