"""Conditions are drawn from a private histogram.

Why: an empirical distribution is the exact count of each value among private records, and sampling shows it. State a public
    table, draw uniformly, or have the counts released with noise of their own, which is charged with the rest.

Refs: P405-4; P405-2

Bad on cancer-dp-vae:
    conditioning.variables.diagnosis.distribution: empirical

Good:
    conditioning.variables.diagnosis.distribution: uniform
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import sees_records, variables
from synthspec.spec.privacy import DpSgd


@rule(code="P405-4.empirical-condition")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = sees_records(resolved)
    if block is None or (isinstance(block, DpSgd) and block.condition_histogram is not None):
        return
    for name, variable in variables(resolved).items():
        if variable.distribution == "empirical":
            yield Finding(
                at("conditioning", "variables", name, "distribution"),
                f"{name!r} is drawn from the counts of private records",
                "write uniform, or a public table of shares, or release noisy counts: privacy.condition_histogram (dp-sgd)",
                (Note("the data are protected by this mechanism", at("privacy", "mechanism")),),
            )
