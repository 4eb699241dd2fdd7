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
from synthspec.spec.evaluation import Features


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
        if training.on_divergence == "restart" and training.max_attempts is None:
            message = "a training that diverges begins again, and nothing says how often"
            yield Finding(at("training", "max_attempts"), message, "write it, such as 3: the first attempt counts")
    if training is not None and training.init_from is not None and training.init_from.sha256 is None:
        message = f"training starts from {training.init_from.weights!r}, and nothing says which bytes are meant"
        yield Finding(at("training", "init_from", "sha256"), message, "write the sha256 of that file")
    if evaluation is not None and evaluation.features.name != "embedded":
        yield from _features(evaluation.features)


def _features(features: Features) -> Iterator[Finding]:
    for key in ("weights", "sha256"):
        if getattr(features, key) is None:
            message = f"the features {features.name} come from a file, and {key} is missing"
            advice = "write weights: <file> and its sha256, or name: embedded"
            yield Finding(at("evaluation", "features", key), message, advice)
    if features.name == "module" and features.entry is None:
        message = "features of a module come from an installed network, and entry is missing"
        advice = "write the name of its entry point in the group synthspec.features"
        yield Finding(at("evaluation", "features", "entry"), message, advice)
