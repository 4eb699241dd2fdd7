"""A diffusion is sampled by no solver.

Why: the same weights under another solver give other samples. Which one turns noise into records is part of the result.

Refs: P405-8; S405-5; C40-514

Bad without sampling.solver:

Good:
    sampling.solver: dpmsolver++
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.solvers import SOLVERS
from synthspec.rules.form import Finding, at, rule


@rule(code="P405-8.solver-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    if resolved.spec.engine.family == "diffusion" and resolved.spec.sampling.solver is None:
        yield Finding(at("sampling", "solver"), "no solver is stated", f"write one of {', '.join(SOLVERS)}")
