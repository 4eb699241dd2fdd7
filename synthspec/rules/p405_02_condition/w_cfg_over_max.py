"""The guidance weight is over its own bound.

Why: beyond cfg_max samples saturate and lose diversity; the bound is the promise that they will not be pushed there
    (C40-514). A spec that starts beyond it is broken before it runs. w_cfg 0 is plain conditional.

Refs: P405-2; S405-6; C40-514

Bad:
    conditioning.guidance: {w_cfg: 3.0, cfg_max: 2.0, drop_rate: 0.1}

Good:
    conditioning.guidance: {w_cfg: 1.5, cfg_max: 2.0, drop_rate: 0.1}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule


@rule(code="P405-2.w-cfg-over-max")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    conditioning, promised = resolved.spec.conditioning, resolved.spec.contracts
    if conditioning is None or conditioning.guidance is None:
        return
    guidance = conditioning.guidance
    bounds = [(guidance.cfg_max, at("conditioning", "guidance", "cfg_max"))]
    latency = None if promised is None else promised.c40_514
    if latency is not None and latency.cfg_max is not None:
        bounds.append((latency.cfg_max, at("contracts", "C40-514", "cfg_max")))
    over = [(bound, place) for bound, place in bounds if guidance.w_cfg > bound]
    if over:
        lowest = min(bound for bound, _ in over)
        yield Finding(
            at("conditioning", "guidance", "w_cfg"),
            f"w_cfg {guidance.w_cfg:g} is over cfg_max {lowest:g}",
            "lower w_cfg, or raise the bound if the promise allows; on this scale 0 is plain conditional",
            tuple(Note(f"cfg_max is {bound:g} here", place) for bound, place in over),
        )
