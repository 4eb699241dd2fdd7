"""Nothing says whether the data are protected.

Why: privacy comes first. Leaving the section out can mean "not needed" or "forgotten", and the two must not look alike:
    ``mechanism: none`` is a choice that someone made and the manifest shows.

Refs: P405-4; S405-8

Bad without privacy:

Good:
    privacy: {mechanism: none}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import undecided


@rule(code="P405-4.mechanism-unstated")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    if undecided(resolved):
        yield Finding(
            at("privacy", "mechanism"),
            "no privacy mechanism is stated",
            "write privacy: {mechanism: none} as a stated choice, or dp-sgd, pate or dp-noise with its budget",
        )
