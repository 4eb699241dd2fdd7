"""A condition variable owes no coverage.

Why: registering c means to say how much of its values a sample must reach. Without ``coverage_min`` a generator that
    ignores most of c would keep every promise.

Refs: P405-2; C40-515

Bad:
    conditioning.variables.digit: {interface: categorical, distribution: empirical}

Good:
    conditioning.variables.digit: {interface: categorical, distribution: empirical, coverage_min: 1.0}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import variables


@rule(code="P405-2.coverage-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    for name, variable in variables(resolved).items():
        if variable.coverage_min is None:
            yield Finding(
                at("conditioning", "variables", name, "coverage_min"),
                f"{name!r} has no coverage_min",
                "write the share of its values that the sample must reach, from 0 to 1",
            )
