"""There is no teacher to distil from.

Why: the methods of distillation shorten the way from noise to a record. A family that goes it in one evaluation has nothing to
    shorten, and a student as slow as its teacher saves nothing.

Refs: P405-10

Bad:
    acceleration: [{kind: distill, method: consistency, NFE: 40}]

Good:
    acceleration: [{kind: distill, method: consistency, NFE: 4}]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.spec.sampling import Distill


@rule(code="P405-10.teacher-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    sampling, family = resolved.spec.sampling, resolved.spec.engine.family
    for number, how in enumerate(resolved.spec.acceleration):
        if not isinstance(how, Distill):
            continue
        if family != "diffusion":
            message = f"a {family} samples in one evaluation: there is no teacher of many steps"
            note = Note("the family is chosen here", at("engine", "family"))
            yield Finding(at("acceleration", number, "kind"), message, "leave the distillation out", (note,))
        elif sampling.NFE is not None and how.NFE >= sampling.NFE:
            note = Note("the teacher's NFE", at("sampling", "NFE"))
            message = f"a student of NFE {how.NFE} is no faster than its teacher"
            yield Finding(at("acceleration", number, "NFE"), message, f"write less than {sampling.NFE}", (note,))
