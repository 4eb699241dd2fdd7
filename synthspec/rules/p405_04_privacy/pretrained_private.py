"""Training starts from weights, or distances rest on weights, whose origin is not public.

Why: weights remember what they were trained on. Where that may be the protected records, the guarantee of this training says
    nothing about them, and a figure in features that were trained on them is another look at them that nobody accounts for.
    Public weights name their origin, so that others can check it.

Refs: P405-4

Bad on cancer-dp-vae:
    training.init_from:
      weights: encoder.safetensors
      sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
      provenance: private

Good:
    training.init_from:
      weights: encoder.safetensors
      sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
      provenance: public
      id: tabular-encoder-2026
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.evaluation import Features
from synthspec.spec.training import Pretrained


@rule(code="P405-4.pretrained-private")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    if mechanism(resolved) is None:
        return
    training, evaluation = resolved.spec.training, resolved.spec.evaluation
    if training is not None and training.init_from is not None:
        advice = "start from weights that were trained on public data, or from none"
        yield from _origin(training.init_from, ("training", "init_from"), advice)
    if evaluation is not None and evaluation.features.name != "embedded":
        advice = "write provenance: public where that is so, or name: embedded, which were trained on nothing"
        yield from _origin(evaluation.features, ("evaluation", "features"), advice)


def _origin(weights: Pretrained | Features, where: tuple[str, str], advice: str) -> Iterator[Finding]:
    because = (Note("the data are protected by this mechanism", at("privacy", "mechanism")),)
    if weights.provenance != "public":
        stated = weights.provenance or "not stated"
        yield Finding(at(*where, "provenance"), f"the provenance of {weights.weights!r} is {stated}", advice, because)
    elif weights.id is None:
        message = f"{weights.weights!r} is called public, and nothing says what it was trained on"
        yield Finding(at(*where, "id"), message, "write the id of the public data", because)
