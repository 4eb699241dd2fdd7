"""A key is missing that a run cannot do without.

Why: there are no hidden defaults for what decides a result. What no axiom asks for by name, but training cannot start
    without, is asked for here.

Refs: P405-8; M40-5.1

Bad without training.batch_size:

Good:
    training.batch_size: 128
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import dp_sgd, undecided


@rule(code="schema.missing-key")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    training, evaluation = resolved.spec.training, resolved.spec.evaluation
    if training is None:
        advice = "write training: {epochs: ..., batch_size: ..., optimizer: {name: adamw, lr: 1.0e-3}, seed: ...}"
        yield Finding(at("training"), "the section training is missing", advice)
    elif dp_sgd(resolved) is None and not undecided(resolved):
        if training.epochs is None and training.steps is None:
            yield Finding(at("training", "epochs"), "training has no end", "write epochs, or steps")
        if training.batch_size is None:
            yield Finding(at("training", "batch_size"), "training has no batch_size", "write it, such as 128")
    if evaluation is not None and evaluation.features.name != "embedded":
        for key in ("weights", "sha256"):
            if getattr(evaluation.features, key) is None:
                message = f"the features {evaluation.features.name} come from a file, and {key} is missing"
                advice = "write weights: <file> and its sha256, or name: embedded"
                yield Finding(at("evaluation", "features", key), message, advice)
