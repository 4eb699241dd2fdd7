"""The architecture cannot take this kind of data.

Why: convolutions in two dimensions need pictures whose sides can be halved once a level. On a table, or on a picture that is
    too small, the network cannot be built.

Refs: M40-5.1; P403-1

Bad on cancer-dp-vae:
    engine.architecture: {name: conv, channels: [32, 64], latent_dim: 4, likelihood: mixed}

Good:
    engine.architecture: {name: mlp, hidden: [64, 64], latent_dim: 4, likelihood: mixed}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.field_types import NUMBERS
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, at_sref, rule
from synthspec.rules.subject import at_field
from synthspec.spec.engine import GanConv, UNet2d, VaeConv


@rule(code="engine.arch-modality", after=("sref.shape-missing",))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    architecture = resolved.spec.engine.architecture
    if not isinstance(architecture, VaeConv | GanConv | UNet2d):
        return
    place, halvings = at("engine", "architecture", "name"), len(architecture.channels)
    if isinstance(architecture, UNet2d):
        halvings -= 1
    modality = resolved.sref.modality
    if modality != "image":
        note = Note("the modality", at_sref("modality"))
        message = f"{architecture.name} works on pictures, and the data are {modality}"
        yield Finding(place, message, "choose an architecture without convolutions, such as mlp", (note,))
        return
    for field in resolved.sref.with_role("content"):
        if field.shape is None or field.dtype not in NUMBERS:
            continue
        sides = field.shape[1:]
        if len(sides) != 2 or any(side % 2**halvings for side in sides):
            shape = " x ".join(map(str, field.shape))
            yield Finding(
                at("engine", "architecture", "channels"),
                f"{field.name!r} is {shape}, which cannot be halved {halvings} times",
                f"write fewer levels, or a shape [channels, height, width] with sides that {2**halvings} divides",
                (Note("the shape", at_field(resolved, field, "shape")),),
            )
