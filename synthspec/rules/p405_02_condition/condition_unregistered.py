"""A condition of the SRef is not registered.

Why: c decides what a sample is of. A condition variable that is used but whose interface, distribution and coverage are
    written nowhere cannot be controlled by whoever samples, nor checked by whoever reads the manifest.

Refs: P405-2

Bad:
    conditioning: {variables: {}, rejection: {max_attempts: 4}}

Good:
    conditioning:
      variables: {digit: {interface: categorical, distribution: empirical, coverage_min: 1.0}}
      rejection: {max_attempts: 4}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import nearest
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import at_field, by_name, variables


@rule(code="P405-2.condition-unregistered")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    registered = variables(resolved)
    open_names = [field.name for field in resolved.sref.with_role("condition") if field.name not in registered]
    # A variable that is no field is answered by its own rule; the condition it was meant for is registered after all.
    strays = registered.keys() - by_name(resolved.sref).keys()
    meant = set(open_names) if len(strays) == len(open_names) else {nearest(name, open_names) for name in strays}
    for field in resolved.sref.with_role("condition"):
        if field.name not in registered and field.name not in meant:
            yield Finding(
                at("conditioning", "variables", field.name),
                f"the condition {field.name!r} is not registered",
                f"add {field.name!r} to conditioning.variables with interface, distribution and coverage_min",
                (Note(f"{field.name!r} has the role of a condition", at_field(resolved, field, "role")),),
            )
