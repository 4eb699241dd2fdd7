"""How the engine that a spec releases is sampled, from the spec alone: what a verifier without a plan goes by."""

from __future__ import annotations

from dataclasses import replace

from synthspec.ir.ops import Sample
from synthspec.ir.resolved import ResolvedSpec
from synthspec.lower.acceleration import engines
from synthspec.lower.engine import fit_op
from synthspec.lower.needs import Needs
from synthspec.lower.sampling import sample_op
from synthspec.spec.privacy import NoMechanism


def released_sample(resolved: ResolvedSpec) -> Sample | None:
    """The op that draws the records of `resolved`; None where the spec leaves out what a run cannot do without.

    Its training has no mechanism: what that adds may have to be solved from the budget, which is the compiler's to do.
    """
    open_ = resolved.spec.model_copy(update={"privacy": NoMechanism(mechanism="none")})
    plain = replace(resolved, spec=open_)
    needs = Needs(plain)
    fit = fit_op(plain, needs)
    sample = None if fit is None else sample_op(plain, fit, needs)
    return None if sample is None else engines(plain, sample)[-1].sample
