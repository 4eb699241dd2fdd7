"""A faster engine keeps the grades of the slow one.

Why: distilling, quantising or compiling makes another model. Fidelity, privacy and latency were measured on the first one
    and say nothing about it until they are measured again.

Refs: P405-10; M40-5.5

Bad:
    acceleration: [{kind: quantize, dtype: int8, reevaluate: false}]

Good:
    acceleration: [{kind: quantize, dtype: int8}]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule


@rule(code="P405-10.no-reevaluation")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    for number, how in enumerate(resolved.spec.acceleration):
        if not how.reevaluate:
            message = f"the engine is changed by {how.kind} and not evaluated again"
            yield Finding(at("acceleration", number, "reevaluate"), message, "write reevaluate: true, or leave it out")
