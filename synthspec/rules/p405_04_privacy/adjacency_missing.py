"""It is not said which data sets count as neighbours.

Why: eps compares two data sets that differ in one unit. Removing it, blanking it or replacing it are three different
    promises; the figure for replace_one is about twice that of the others.

Refs: P405-4

Bad on cancer-dp-vae without privacy.adjacency:

Good:
    privacy.adjacency: zero_out
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule
from synthspec.rules.subject import mechanism


@rule(code="P405-4.adjacency-missing")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if block is not None and block.adjacency is None:
        yield Finding(
            at("privacy", "adjacency"),
            "adjacency is not stated",
            "write zero_out (the number of records is public), add_remove, or replace_one",
        )
