"""Samples are not judged against the test split.

Why: measured against training data a generator that memorises looks perfect; against validation data one that was tuned on
    them does. The reference is the split that nothing has seen.

Refs: P405-9; C40-511; C40-515

Bad:
    evaluation.reference: train

Good:
    evaluation.reference: test
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule


@rule(code="P405-9.reference-not-test")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    evaluation = resolved.spec.evaluation
    reference = None if evaluation is None else evaluation.reference
    if reference != "test":
        stated = "not stated" if reference is None else f"the {reference} split"
        yield Finding(
            at("evaluation", "reference"), f"the reference of the evaluation is {stated}", "write reference: test"
        )
