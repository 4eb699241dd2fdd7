"""A derived field depends on itself.

Why: derived fields are computed in the order of their dependencies. A circle has no first.

Refs: P405-7

Bad on fiber-link-flow without constraints:
    fields.loss.expr: 10 dB * log10(power_in / power_out) + 0 * loss

Good:
    fields.loss.expr: 10 dB * log10(power_in / power_out)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterator

from synthspec.expr import names, parse
from synthspec.rules.form import Finding, at_sref, sref_rule
from synthspec.spec.sref import SRef, SRefField

SHOWN = 12
"""Fields of a circle that are named."""


@sref_rule(code="sref.derived-cycle")
def check(sref: SRef) -> Iterator[Finding]:
    needs = {field.name: _needs(field) for field in sref.fields if field.expr is not None}
    knots = _knots(needs)
    reported: set[int] = set()
    for number, field in enumerate(sref.fields):
        knot = knots.get(field.name)
        if knot is None or id(knot) in reported or not (circle := _circle(field.name, needs, knot)):
            continue
        reported.add(id(knot))
        shown = circle if len(circle) <= SHOWN else (*circle[:SHOWN], f"({len(circle) - SHOWN} more)")
        around = " -> ".join((*shown, circle[0]))
        place = at_sref("fields", number, "expr")
        yield Finding(place, f"{field.name!r} is derived from itself: {around}", "break the circle")


def _needs(field: SRefField) -> tuple[str, ...]:
    tree = parse(field.expr or "").value
    return () if tree is None else tuple(dict.fromkeys(name for name, _ in names(tree)))


def _knots(needs: dict[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    """For each field those that need it and that it needs, itself included (strongly connected, after Kosaraju)."""
    needed: dict[str, list[str]] = {}
    for name, others in needs.items():
        for other in others:
            needed.setdefault(other, []).append(name)
    knots: dict[str, frozenset[str]] = {}
    for name in reversed(_in_order(needs)):
        if name not in knots:
            knot = frozenset(_reached(name, needed, knots))
            knots.update(dict.fromkeys(knot, knot))
    return knots


def _in_order(needs: dict[str, tuple[str, ...]]) -> list[str]:
    """The fields, each after all that it needs and that do not need it."""
    order: list[str] = []
    seen: set[str] = set()
    for start, others in needs.items():
        ways = [] if start in seen else [(start, iter(others))]
        seen.add(start)
        while ways:
            name, left = ways[-1]
            following = next((other for other in left if other in needs and other not in seen), None)
            if following is None:
                order.append(name)
                ways.pop()
            else:
                seen.add(following)
                ways.append((following, iter(needs[following])))
    return order


def _reached(start: str, needed: dict[str, list[str]], without: Container[str]) -> set[str]:
    found, waiting = {start}, [start]
    while waiting:
        new = [name for name in needed.get(waiting.pop(), ()) if name not in found and name not in without]
        found.update(new)
        waiting += new
    return found


def _circle(start: str, needs: dict[str, tuple[str, ...]], knot: Container[str]) -> tuple[str, ...]:
    """The shortest way from `start` back to it through its knot; empty when there is none."""
    came: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        name = waiting.popleft()
        for other in needs.get(name, ()):
            if other == start:
                return _way(start, name, came)
            if other in knot and other not in came:
                came[other] = name
                waiting.append(other)
    return ()


def _way(start: str, end: str, came: dict[str, str]) -> tuple[str, ...]:
    way = [end]
    while way[-1] != start:
        way.append(came[way[-1]])
    return tuple(reversed(way))
