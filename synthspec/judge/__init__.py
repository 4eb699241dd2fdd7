"""Evidence to verdicts: the stage that says held, broken or unproven."""

from __future__ import annotations

from synthspec.judge.persistence import unpersisted
from synthspec.judge.verdict import judge

__all__ = ["judge", "unpersisted"]
