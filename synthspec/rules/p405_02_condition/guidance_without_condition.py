"""There is guidance, but nothing to guide by.

Why: S405-6 moves eps_theta(x_t, t, c) away from eps_theta(x_t, t, none). Without a variable c the two are the same network
    evaluated twice: twice the NFE for nothing.

Refs: P405-2; S405-6

Bad without fields.digit, alias_map.target, conditioning.variables:
    conditioning.guidance: {w_cfg: 0.5, cfg_max: 2.0, drop_rate: 0.1}

Good:
    conditioning.guidance: {w_cfg: 0.5, cfg_max: 2.0, drop_rate: 0.1}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule


@rule(code="P405-2.guidance-without-condition", after=("P405-2.condition-unregistered",))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    conditioning = resolved.spec.conditioning
    if conditioning is not None and conditioning.guidance is not None and not conditioning.variables:
        yield Finding(
            at("conditioning", "guidance"),
            "guidance is asked for, but no condition variable is registered",
            "register the variables of c in conditioning.variables, or leave guidance out",
        )
