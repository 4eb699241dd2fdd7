"""Conditions are drawn from a private histogram.

Why: an empirical distribution is the exact count of each value among private records, and sampling shows it. State a public
    table, or draw uniformly.

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
from synthspec.rules.subject import mechanism, variables


@rule(code="P405-4.empirical-condition")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    if mechanism(resolved) is None:
        return
    for name, variable in variables(resolved).items():
        if variable.distribution == "empirical":
            yield Finding(
                at("conditioning", "variables", name, "distribution"),
                f"{name!r} is drawn from the counts of private records",
                "write uniform, or a public table of shares",
                (Note("the data are protected by this mechanism", at("privacy", "mechanism")),),
            )
