"""Guidance is asked of a family that has none.

Why: classifier-free guidance mixes two noise predictions (S405-6). A VAE, a GAN and a flow predict no noise, so w_cfg would
    be written into the manifest and have no effect.

Refs: P405-2; S405-6

Bad on digits-gan:
    conditioning.guidance: {w_cfg: 1.0, cfg_max: 2.0, drop_rate: 0.1}

Good without conditioning.guidance:
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule


@rule(code="P405-2.guidance-wrong-family")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    conditioning, family = resolved.spec.conditioning, resolved.spec.engine.family
    if conditioning is not None and conditioning.guidance is not None and family != "diffusion":
        yield Finding(
            at("conditioning", "guidance"),
            f"classifier-free guidance works on noise predictions, and a {family} makes none",
            "leave guidance out, or choose the family diffusion",
            (Note("the family is chosen here", at("engine", "family")),),
        )
