"""A policy of the SRef is about nothing.

Why: a policy says what binding does with a record whose field has no value, has one outside of its enum, or points to
    nothing. One for a field that is not there, has no enum, or is no foreign key would never be asked, and one that says
    to fill gaps needs to know with what.

Refs: P403-1; P403-2

Bad:
    policy: {nulls: {pixel: drop}}

Good:
    policy: {nulls: {pixels: drop}}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import did_you_mean
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, at_sref, rule
from synthspec.rules.subject import by_name
from synthspec.spec.sref import Into, SRef, SRefField

FILLED = frozenset({"content", "condition"})


def aimless(sref: SRef) -> Iterator[Finding]:
    """Policies that no record would meet."""
    if sref.policy is None:
        return
    fields = by_name(sref)
    fk = {} if sref.keys is None else sref.keys.fk
    for kind, named in (("nulls", sref.policy.nulls), ("enums", sref.policy.enums), ("orphans", sref.policy.orphans)):
        for name in named:
            field = fields.get(name)
            where = at_sref("policy", kind, name)
            if field is None or field.role == "derived":
                yield Finding(where, f"{name!r} is no field that is read", did_you_mean(name, fields))
            elif kind == "orphans" and name not in fk:
                yield Finding(where, f"{name!r} is no foreign key", did_you_mean(name, fk))
            elif kind == "enums":
                yield from _members(sref, field)
            elif kind == "nulls":
                yield from _gaps(sref, field)


def _members(sref: SRef, field: SRefField) -> Iterator[Finding]:
    where = at_sref("policy", "enums", field.name)
    what = None if sref.policy is None else sref.policy.enums[field.name]
    if not field.enum:
        yield Finding(where, f"{field.name!r} has no enum that a value could be outside of", "declare its members")
    elif isinstance(what, Into) and what.into not in field.enum:
        advice = did_you_mean(str(what.into), [str(member) for member in field.enum])
        where = at_sref("policy", "enums", field.name, "into")
        yield Finding(where, f"{what.into!r} is no member of the enum of {field.name!r}", advice)


def _gaps(sref: SRef, field: SRefField) -> Iterator[Finding]:
    where = at_sref("policy", "nulls", field.name)
    what = None if sref.policy is None else sref.policy.nulls[field.name]
    if what == "refuse" and field.nullable:
        advice = "declare nullable: false, or leave the policy out"
        yield Finding(where, f"{field.name!r} may lack a value, and a record that does would be refused", advice)
    elif what == "impute" and field.role not in FILLED:
        yield Finding(where, f"{field.name!r} is not learned, so nothing fills it", "write drop or refuse")


@rule(code="sref.policy-unknown", sref_check=aimless, after=("P405-4.data-dependent-transform",))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    yield from aimless(resolved.sref)
    yield from _unfilled(resolved)
    yield from _filling(resolved)


def _unfilled(resolved: ResolvedSpec) -> Iterator[Finding]:
    """Gaps that the SRef says are filled, and the spec does not."""
    policy, how = resolved.sref.policy, resolved.spec.data.impute
    fields = by_name(resolved.sref)
    for name, what in ({} if policy is None else policy.nulls).items():
        learned = name in fields and fields[name].role in FILLED
        if learned and what == "impute" and (how is None or (isinstance(how, dict) and name not in how)):
            message = f"gaps of {name!r} are to be filled, and data.impute does not say with what"
            because = (Note("the policy", at_sref("policy", "nulls", name)),)
            yield Finding(at("data", "impute"), message, f"write impute: {{{name}: median}}", because)


def _filling(resolved: ResolvedSpec) -> Iterator[Finding]:
    """What the spec fills and the SRef has no gaps in."""
    how, policy = resolved.spec.data.impute, resolved.sref.policy
    nulls = {} if policy is None else policy.nulls
    fields = by_name(resolved.sref)
    if how is not None and not isinstance(how, dict) and not resolved.filled:
        advice = "leave it out, or say in the SRef which field may lack a value"
        yield Finding(at("data", "impute"), "no learned field may lack a value, so there is nothing to fill", advice)
    for name in how if isinstance(how, dict) else {}:
        field = fields.get(name)
        learned = [each for each, known in fields.items() if known.role in FILLED]
        if field is None or field.role not in FILLED:
            advice = did_you_mean(name, learned)
            yield Finding(at("data", "impute", name), f"{name!r} is no field that is learned", advice)
        elif nulls.get(name, "impute" if field.nullable else "refuse") != "impute":
            advice = f"write nullable: true in the SRef, or policy: {{nulls: {{{name}: impute}}}}"
            yield Finding(at("data", "impute", name), f"the SRef lets no record lack {name!r}", advice)
