"""Training starts from weights whose origin is not public.

Why: weights remember what they were trained on. Where that may be the protected records, the guarantee of this training says
    nothing about them. Public weights name their origin, so that others can check it.

Refs: P405-4

Bad on cancer-dp-vae:
    training.init_from: {weights: encoder.safetensors, provenance: private}

Good:
    training.init_from: {weights: encoder.safetensors, provenance: public, id: tabular-encoder-2026}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism


@rule(code="P405-4.pretrained-private")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    training = resolved.spec.training
    start = None if training is None else training.init_from
    if mechanism(resolved) is None or start is None:
        return
    because = (Note("the data are protected by this mechanism", at("privacy", "mechanism")),)
    if start.provenance != "public":
        stated = start.provenance or "not stated"
        place = at("training", "init_from", "provenance")
        advice = "start from weights that were trained on public data, or from none"
        yield Finding(place, f"the provenance of {start.weights!r} is {stated}", advice, because)
    elif start.id is None:
        message = f"{start.weights!r} is called public, and nothing says what it was trained on"
        yield Finding(at("training", "init_from", "id"), message, "write the id of the public data", because)
