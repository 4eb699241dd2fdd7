"""Guidance needs a branch that was never trained.

Why: eps_theta(x_t, t, none) is learned only from examples whose condition was dropped. With drop_rate 0 it is whatever the
    initial weights make of it, and guidance pushes samples away from noise.

Refs: P405-2; S405-6

Bad:
    conditioning.guidance: {w_cfg: 0.5, cfg_max: 2.0, drop_rate: 0.0}

Good:
    conditioning.guidance: {w_cfg: 0.5, cfg_max: 2.0, drop_rate: 0.1}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule


@rule(code="P405-2.guidance-without-dropout", after=("P405-2.guidance-wrong-family",))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    conditioning = resolved.spec.conditioning
    if conditioning is None or conditioning.guidance is None:
        return
    guidance = conditioning.guidance
    if guidance.w_cfg > 0 and guidance.drop_rate == 0:
        yield Finding(
            at("conditioning", "guidance", "drop_rate"),
            f"w_cfg is {guidance.w_cfg:g}, but the condition is never dropped in training",
            "write a drop_rate above 0, such as 0.1, or w_cfg: 0",
            (Note("guidance is asked for here", at("conditioning", "guidance", "w_cfg")),),
        )
