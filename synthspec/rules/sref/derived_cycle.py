"""A derived field depends on itself.

Why: derived fields are computed in the order of their dependencies. A circle has no first.

Refs: P405-7

Bad on fiber-link-flow without constraints:
    fields.loss.expr: 10 dB * log10(power_in / power_out) + 0 * loss

Good:
    fields.loss.expr: 10 dB * log10(power_in / power_out)
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.expr import names, parse
from synthspec.rules.form import Finding, at_sref, sref_rule
from synthspec.spec.sref import SRef, SRefField


@sref_rule(code="sref.derived-cycle")
def check(sref: SRef) -> Iterator[Finding]:
    needs = {field.name: _needs(field) for field in sref.fields if field.expr is not None}
    reported: set[str] = set()
    for number, field in enumerate(sref.fields):
        circle = _circle(field.name, needs)
        if circle and not reported & set(circle):
            reported.update(circle)
            around = " -> ".join((*circle, circle[0]))
            place = at_sref("fields", number, "expr")
            yield Finding(place, f"{field.name!r} is derived from itself: {around}", "break the circle")


def _needs(field: SRefField) -> tuple[str, ...]:
    tree = parse(field.expr or "").value
    return () if tree is None else tuple(dict.fromkeys(name for name, _ in names(tree)))


def _circle(start: str, needs: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The shortest way from `start` back to it; empty when there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    for way in ways:
        for name in needs.get(way[-1], ()):
            if name == start:
                return way
            if name not in seen:
                seen.add(name)
                ways.append((*way, name))
    return ()
