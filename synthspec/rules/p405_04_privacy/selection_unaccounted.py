"""Weights are chosen by a private score.

Why: "the best" weights are best by a loss on private records. Choosing among checkpoints is a release that has to be paid
    for; under a mechanism the last weights are kept.

Refs: P405-4; P405-3

Bad on cancer-dp-vae:
    stability.rollback: {to: best, max_rollbacks: 0}

Good:
    stability.rollback: {to: last, max_rollbacks: 0}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import sees_records


@rule(code="P405-4.selection-unaccounted")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    stability = resolved.spec.stability
    if sees_records(resolved) is None or stability is None or stability.rollback is None:
        return
    if stability.rollback.to == "best":
        yield Finding(
            at("stability", "rollback", "to"),
            "the best weights are chosen by a score of private records",
            "write to: last",
            (Note("the data are protected by this mechanism", at("privacy", "mechanism")),),
        )
