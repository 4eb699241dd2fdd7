"""Something depends on a number of records that is private.

Why: under add_remove the number of records is itself protected. An epoch, a batch size or a stated size would be computed
    from it or publish it.

Refs: P405-4

Bad on cancer-dp-vae:
    privacy.adjacency: add_remove
    privacy.dataset_size: {public: false, value: 398}

Good:
    privacy.adjacency: add_remove
    privacy.dataset_size: {public: false}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import dp_sgd


@rule(code="P405-4.private-size-used")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block, training = dp_sgd(resolved), resolved.spec.training
    if block is None:
        return
    size = block.dataset_size
    if block.adjacency != "add_remove" and (size is None or size.public):
        return
    if size is not None and (size.public or size.value is not None):
        yield Finding(
            at("privacy", "dataset_size", "public" if size.public else "value"),
            "the number of records is protected, and the spec publishes it",
            "write dataset_size: {public: false}, or the adjacency zero_out if it is public",
            (Note("the adjacency", at("privacy", "adjacency")),),
        )
    for key in ("epochs", "batch_size"):
        if training is not None and getattr(training, key) is not None:
            message = f"training.{key} depends on the private number of records"
            yield Finding(at("training", key), message, "leave it out: steps and rate are in the privacy block")
