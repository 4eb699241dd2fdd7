"""Figures of private data would be published.

Why: FID, coverage or a loss curve is an exact function of private records, and enough of them give records back even where
    the model itself is private (Ganev and De Cristofaro 2023). They go to the restricted manifest, verdicts to the public one.

Refs: P405-4; P405-9

Bad on cancer-dp-vae:
    evaluation.disclosure: public

Good:
    evaluation.disclosure: restricted
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism


@rule(code="P405-4.private-metric-published")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    evaluation = resolved.spec.evaluation
    if mechanism(resolved) is None or evaluation is None or evaluation.disclosure == "restricted":
        return
    if evaluation.metrics:
        yield Finding(
            at("evaluation", "disclosure"),
            f"{', '.join(evaluation.metrics)} are measured on private data and would be published",
            "write disclosure: restricted",
            (Note("the data are protected by this mechanism", at("privacy", "mechanism")),),
        )
