"""A waiver is for a rule that cannot be waived.

Why: privacy that was promised (P405-4) and test data that were kept apart (P405-9) protect people who have no say in the
    waiver. No reason makes up for them.

Refs: P405-4; P405-9; section 4 waivers

Bad on cancer-dp-vae:
    waivers: [{id: P405-9.reference-not-test, reason: few records, approver: q.a, expires: "2999-01-31"}]

Good without conditioning.variables.diagnosis.coverage_min:
    waivers: [{id: P405-2.coverage-missing, reason: a pilot, approver: q.a, expires: "2999-01-31"}]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule

NEVER = ("P405-4", "P405-9", "waiver", "internal")


@rule(code="waiver.not-waivable")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    for number, waiver in enumerate(resolved.spec.waivers):
        axiom = waiver.id.partition(".")[0]
        if axiom in NEVER:
            advice = "delete the waiver and mend what the rule finds"
            yield Finding(at("waivers", number, "id"), f"{axiom} cannot be waived", advice)
