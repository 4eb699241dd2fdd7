"""The family has no such architecture.

Why: an engine is one of a closed list of architectures, each with its own parameters and tests. A name outside the list is a
    slip, or an architecture of another family.

Refs: M40-5.1; I40-5

Bad:
    engine.architecture: {name: resnet, channels: [32, 64]}

Good:
    engine.architecture: {name: unet2d, channels: [32, 64]}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import did_you_mean
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.spec.engine import OtherArchitecture

KNOWN = {
    "vae": ("mlp", "conv"),
    "gan": ("mlp", "conv"),
    "flow": ("spline_coupling", "affine_coupling", "autoregressive"),
    "diffusion": ("unet2d", "mlp", "transformer"),
}


@rule(code="engine.arch-unknown")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    engine = resolved.spec.engine
    if not isinstance(engine.architecture, OtherArchitecture):
        return
    name, known = engine.architecture.name, KNOWN[engine.family]
    place = at("engine", "architecture", "name")
    if name is None:
        yield Finding(place, "the architecture has no name", f"write name: and one of {', '.join(known)}")
    else:
        yield Finding(place, f"a {engine.family} has no architecture {name!r}", did_you_mean(name, known))
