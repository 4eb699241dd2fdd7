"""The distribution of a condition is none.

Why: at sampling c is drawn from what is written here, and the manifest publishes it. Shares that do not add up to 1, or
    that name values the field cannot take, describe no law that anyone could draw from. Nor does a value that a variable is
    held at in `sampling.condition`, where the field does not have it.

Refs: P405-2

Bad:
    conditioning.variables.digit.distribution: {0: 0.5, 1: 0.6}

Good:
    conditioning.variables.digit: {interface: categorical, distribution: {0: 0.5, 1: 0.5}, coverage_min: 0.2}
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from synthspec.diag import did_you_mean
from synthspec.ir.members import held_at, held_reasons, spelled
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import at_field, by_name, levels, variables
from synthspec.spec.conditioning import Variable
from synthspec.spec.sref import SRefField

TOLERANCE = 1e-9
"""How far from 1 the sum of shares written in decimal may be."""


@rule(code="P405-2.distribution-invalid", after=("P405-2.condition-not-in-sref",))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    fields = by_name(resolved.sref)
    for name, variable in variables(resolved).items():
        field = fields.get(name)
        if field is None:
            continue
        place = at("conditioning", "variables", name, "distribution")
        for message, advice in _faults(variable, field):
            yield Finding(place, f"{name!r}: {message}", advice, (Note("the field", at_field(resolved, field)),))
    yield from _held(resolved, fields)


def _held(resolved: ResolvedSpec, fields: dict[str, SRefField]) -> Iterator[Finding]:
    """Values of `sampling.condition` that their fields do not have."""
    for name, value in resolved.spec.sampling.condition.items():
        if name not in fields or name not in variables(resolved):
            continue
        known = resolved.schema.field(name)
        place, note = at("sampling", "condition", name), Note("the field", at_field(resolved, fields[name]))
        advice = f"its values: {', '.join(map(spelled, known.enum))}" if known.enum else "write a value of the field"
        for reason in held_reasons(known, held_at(known, value)):
            yield Finding(place, reason, advice, (note,))


def _faults(variable: Variable, field: SRefField) -> Iterator[tuple[str, str]]:
    shares = variable.distribution
    if shares == "empirical":
        return
    if isinstance(shares, dict):
        yield from _table_faults(shares, variable, field)
    elif variable.interface == "text":
        yield "there is no uniform law of texts", "write empirical, or a table of texts with their shares"
    elif levels(field) is None and field.range is None:
        yield "a uniform law needs an end on either side", "give the field a range or an enum in the SRef"


def _table_faults(shares: dict[str, float], variable: Variable, field: SRefField) -> Iterator[tuple[str, str]]:
    if variable.interface in {"continuous", "mask"}:
        yield f"a table is no law of a {variable.interface} variable", "write empirical or uniform"
        return
    total = math.fsum(shares.values())
    if abs(total - 1.0) > TOLERANCE:
        yield f"the shares add up to {total:g}", "let them add up to 1"
        return  # a value that was left out shows here first
    members = None if field.enum is None else {spelled(member) for member in field.enum}
    unknown = sorted(set(shares) - members) if members else []
    if unknown:
        yield f"{', '.join(unknown)} is no value of the field", did_you_mean(unknown[0], members or ())
    drawn = sum(share > 0 for share in shares.values())
    owed = math.ceil((variable.coverage_min or 0.0) * len(members or shares) - TOLERANCE)
    if members and not unknown and drawn < owed:
        yield (
            f"{drawn} of {len(members)} values are ever drawn, but coverage_min {variable.coverage_min:g} asks for {owed}",
            "give more values a share, or ask for less coverage",
        )
