"""The clipping norm is no constant.

Why: C is the sensitivity that sigma is counted in. It has to be a finite number above zero, fixed in the spec; one that
    adapts to raw gradients is computed from private data without being paid for.

Refs: P405-4; S405-8

Bad on cancer-dp-vae:
    privacy.clip: {norm: auto, per: record, scope: flat}

Good:
    privacy.clip: {norm: 1.0, per: record, scope: flat}
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import dp_sgd


@rule(code="P405-4.clip-invalid")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = dp_sgd(resolved)
    if block is None or block.clip is None:
        return
    norm = block.clip.norm
    if norm == "auto" or not norm > 0 or math.isinf(norm):
        yield Finding(
            at("privacy", "clip", "norm"), f"the clipping norm is {norm}", "write a number above 0, such as 1.0"
        )
