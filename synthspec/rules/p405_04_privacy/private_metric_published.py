"""Figures of private data would be published.

Why: FID, coverage or a loss curve is an exact function of private records, and enough of them give records back even where
    the model itself is private (Ganev and De Cristofaro 2023). They go to the restricted manifest, verdicts to the public one.
    Limits are in both, and in the spec: one that was calibrated on private records is such a figure.

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
from synthspec.spec.evaluation import declared


@rule(code="P405-4.private-metric-published")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    if mechanism(resolved) is None:
        return
    evaluation, promised = resolved.spec.evaluation, resolved.spec.contracts
    because = (Note("the data are protected by this mechanism", at("privacy", "mechanism")),)
    if evaluation is not None and evaluation.disclosure != "restricted" and evaluation.metrics:
        message = f"{', '.join(evaluation.metrics)} are measured on private data and would be published"
        yield Finding(at("evaluation", "disclosure"), message, "write disclosure: restricted", because)
    for contract, stated in ({} if promised is None else declared(promised)).items():
        if stated.tol_source == "calibrated":
            message = f"the limits of {contract} were calibrated on private records, and limits are published"
            advice = "state limits that were chosen without looking, or found on public records, as tol_source: stated"
            yield Finding(at("contracts", contract, "tol_source"), message, advice, because)
