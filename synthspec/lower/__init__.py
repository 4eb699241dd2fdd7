"""lower: CheckedSpec -> OpGraph. What a spec means as typed operations, before anyone has said who computes them."""

from synthspec.lower.binding import bind_op, impute_op
from synthspec.lower.features import provided, unoffered
from synthspec.lower.graph import Goal, lower, lower_draft
from synthspec.lower.released import released_sample

__all__ = ["Goal", "bind_op", "impute_op", "lower", "lower_draft", "provided", "released_sample", "unoffered"]
