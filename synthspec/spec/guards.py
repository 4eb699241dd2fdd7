"""What it means when a value of the language changes: which way a guard loosens, or why a value guards nothing.

`synthspec.spec.guard_table` says it for every field of every model, so that no new field is passed over: one without an
entry fails a test, and a review takes any change to it for one that a person has to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

RiskLevel = Literal["high", "medium", "low"]
Absent = Literal["loose", "tight", "review", "empty"]
"""What nothing written means: nothing is bounded; nothing is allowed; a person has to say; the same as an empty section."""

How = Literal[
    "number", "scale", "pin", "set", "review", "free", "section", "items", "entries",
    "interval", "constraint", "trip", "multiplier", "distribution", "unit", "privacy_unit", "end", "sensitivity",
    "multiplicity", "constant", "transform", "schema",
]  # fmt: skip
"""The comparisons; `synthspec.review` has a function for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """How two values of a field are compared.

    `loosens` is the way that loosens: "up" or "down" for numbers, "fewer" or "more" for sets, items and entries. `scale`
    goes from tight to loose; values of one step of it cannot be compared. The empty word in it stands for nothing written.
    Entries with a scale are words themselves, and one that is not written is the first of them. `kinds` names a change by its
    direction.
    """

    how: How
    risk: RiskLevel = "medium"
    why: str = ""
    loosens: Literal["up", "down", "fewer", "more", ""] = ""
    scale: tuple[tuple[str, ...], ...] = ()
    absent: Absent = "loose"
    key: tuple[str, ...] = ()
    """Fields by which items of a list are recognised."""
    kinds: Mapping[str, str] = field(default_factory=dict)

    @property
    def guards(self) -> bool:
        """Whether a change can loosen anything, or has to be looked at."""
        return self.how != "free"


def up(risk: RiskLevel = "medium", *, absent: Absent = "loose", **kinds: str) -> Guard:
    """A number that loosens when it grows: a tolerance, a budget, a cap."""
    return Guard(how="number", loosens="up", risk=risk, absent=absent, kinds=kinds)


def down(risk: RiskLevel = "medium", *, absent: Absent = "loose", **kinds: str) -> Guard:
    """A number that loosens when it shrinks: a floor, a noise."""
    return Guard(how="number", loosens="down", risk=risk, absent=absent, kinds=kinds)


def scale(*steps: str | tuple[str, ...], risk: RiskLevel = "medium", absent: Absent = "loose", **kinds: str) -> Guard:
    """Words (true and false among them) from tight to loose; those in one tuple cannot be compared."""
    groups = tuple(step if isinstance(step, tuple) else (step,) for step in steps)
    return Guard(how="scale", scale=groups, risk=risk, absent=absent, kinds=kinds)


def pin(risk: RiskLevel = "medium", absent: Absent = "loose", **kinds: str) -> Guard:
    """A value that ties something down: without it nothing is tied, with another one a person has to look."""
    return Guard(how="pin", risk=risk, absent=absent, kinds=kinds)


def members(risk: RiskLevel, loosens: Literal["fewer", "more"], *, absent: Absent = "loose", **kinds: str) -> Guard:
    """A set of words or numbers."""
    return Guard(how="set", loosens=loosens, risk=risk, absent=absent, kinds=kinds)


def review(why: str, risk: RiskLevel = "medium", kind: str = "") -> Guard:
    """A value of which no direction is known: any change is for a person to judge."""
    return Guard(how="review", why=why, risk=risk, kinds={"unknown": kind} if kind else {})


def free(why: str) -> Guard:
    """A value that guards nothing, and why."""
    return Guard(how="free", why=why)


def section(risk: RiskLevel = "medium", absent: Absent = "loose", **kinds: str) -> Guard:
    """A part with guards of its own; one that says nothing by itself is what its absence stands for."""
    return Guard(how="section", risk=risk, absent=absent, kinds=kinds)


def items(risk: RiskLevel, loosens: Literal["fewer", "more", ""], *key: str, **kinds: str) -> Guard:
    """A list of parts, each recognised by `key`."""
    return Guard(how="items", loosens=loosens, risk=risk, key=key, kinds=kinds)


def entries(risk: RiskLevel, loosens: Literal["fewer", "more", ""], **kinds: str) -> Guard:
    """A mapping under names that the user chose."""
    return Guard(how="entries", loosens=loosens, risk=risk, kinds=kinds)


def answers(risk: RiskLevel, *steps: str | tuple[str, ...]) -> Guard:
    """A mapping of names to words from tight to loose; the first is what holds of a name that is not written."""
    return Guard(how="entries", scale=scale(*steps).scale, risk=risk)


def law(how: How, risk: RiskLevel = "medium", absent: Absent = "loose", **kinds: str) -> Guard:
    """A comparison of its own."""
    return Guard(how=how, risk=risk, absent=absent, kinds=kinds)


Fields = Mapping[str, Guard]


def guard_of(model: type, name: str) -> Guard:
    """How the field `name` of `model` is compared; a field that nobody declared is for a person to judge."""
    # The table is written in the words of this module.
    from synthspec.spec.guard_table import GUARDS

    for owner in model.__mro__:
        found = GUARDS.get(owner.__name__, {}).get(name)
        if found is not None:
            return found
    return UNDECLARED


UNDECLARED = review("this field declares no direction")
