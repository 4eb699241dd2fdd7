"""There is no such solver.

Why: what a solver costs and how it is replayed is known for a closed list. A family that samples in one evaluation has no
    solver at all, and naming one would be written into the manifest without having run.

Refs: P405-8; S405-5; C40-514

Bad:
    sampling.solver: dpm++

Good:
    sampling.solver: dpmsolver++
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import did_you_mean
from synthspec.ir.resolved import ResolvedSpec
from synthspec.ir.solvers import SOLVERS, STUDENTS
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.spec.sampling import Distill


@rule(code="engine.solver-unknown")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    sampling, family = resolved.spec.sampling, resolved.spec.engine.family
    if family != "diffusion":
        for key in ("solver", "NFE", "tolerance"):
            if getattr(sampling, key) is not None:
                message = f"a {family} is sampled without a solver, and {key} would have no effect"
                because = Note("the family is chosen here", at("engine", "family"))
                yield Finding(at("sampling", key), message, "leave it out", (because,))
    elif sampling.solver is not None and sampling.solver not in SOLVERS:
        advice = did_you_mean(sampling.solver, SOLVERS)
        yield Finding(at("sampling", "solver"), f"there is no solver {sampling.solver!r}", advice)
    elif sampling.tolerance is not None and sampling.solver is not None and not SOLVERS[sampling.solver].adaptive:
        message = f"{sampling.solver} takes the steps it is told, and tolerance would have no effect"
        chosen = Note("the solver is chosen here", at("sampling", "solver"))
        yield Finding(at("sampling", "tolerance"), message, "leave it out, or choose heun_adaptive", (chosen,))
    for number, how in enumerate(resolved.spec.acceleration):
        if isinstance(how, Distill) and how.solver is not None and how.solver not in {**SOLVERS, **STUDENTS}:
            advice = did_you_mean(how.solver, (*SOLVERS, *STUDENTS))
            yield Finding(at("acceleration", number, "solver"), f"there is no solver {how.solver!r}", advice)
