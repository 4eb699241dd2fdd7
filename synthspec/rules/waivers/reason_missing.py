"""A waiver does not say why, by whom, or until when.

Why: an exception is acceptable when someone answers for it and it ends. The reason, the approver and the date are printed in
    the manifest beside what they excuse.

Refs: section 4 waivers

Bad:
    waivers: [{id: P405-2.coverage-missing, approver: q.a, expires: "2999-01-31"}]

Good without conditioning.variables.digit.coverage_min:
    waivers:
      - {id: P405-2.coverage-missing, reason: the pilot has one class, approver: q.a, expires: "2999-01-31"}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule


@rule(code="waiver.reason-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    for number, waiver in enumerate(resolved.spec.waivers):
        for key in ("reason", "approver", "expires"):
            if not (getattr(waiver, key) or "").strip():
                message = f"the waiver of {waiver.id} has no {key}"
                yield Finding(at("waivers", number, key), message, "write reason, approver and expires")
