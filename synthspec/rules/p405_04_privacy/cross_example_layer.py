"""A layer mixes the records of a batch.

Why: clipping bounds what one record adds to the sum of gradients. Where a layer normalises over the batch, or a critic judges
    several records at once, one record changes the gradients of all the others, and the bound does not hold.

Refs: P405-4; S405-8

Bad on cancer-dp-vae:
    engine.architecture: {name: mlp, hidden: [64, 64], latent_dim: 4, likelihood: mixed, norm: batch}

Good:
    engine.architecture: {name: mlp, hidden: [64, 64], latent_dim: 4, likelihood: mixed, norm: layer}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import dp_sgd
from synthspec.spec.engine import GanConv, GanMlp, VaeConv, VaeMlp


@rule(code="P405-4.cross-example-layer")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    network = resolved.spec.engine.architecture
    if dp_sgd(resolved) is None:
        return
    because = (Note("each record is clipped by itself", at("privacy", "clip")),)
    if isinstance(network, VaeMlp | VaeConv | GanMlp | GanConv) and network.norm == "batch":
        place = at("engine", "architecture", "norm")
        yield Finding(place, "batch normalisation mixes the records of a batch", "write norm: layer, or group", because)
    if isinstance(network, GanMlp | GanConv) and network.pac > 1:
        message = f"the critic judges {network.pac} records at once"
        yield Finding(at("engine", "architecture", "pac"), message, "write pac: 1, or leave it out", because)
