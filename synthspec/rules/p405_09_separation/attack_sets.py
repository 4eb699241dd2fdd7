"""The membership attack compares the wrong sets.

Why: membership is inferred between records that were trained on and records that were not. With the two the same, or with
    members that were never trained on, every attack fails and the risk looks like zero.

Refs: P405-9; C40-516

Bad:
    evaluation.membership_attack: {members: val, non_members: test}

Good:
    evaluation.membership_attack: {members: train, non_members: val}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, at, rule


@rule(code="P405-9.attack-sets")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    evaluation = resolved.spec.evaluation
    if evaluation is None:
        return
    sets = evaluation.membership_attack
    place = ("evaluation", "membership_attack")
    if sets is None:
        if "MI" in evaluation.metrics:
            advice = "write membership_attack: {members: train, non_members: val}"
            yield Finding(at(*place), "MI is asked for, but not between whom", advice)
        return
    if sets.members != "train":
        yield Finding(at(*place, "members"), f"the {sets.members} split was not trained on", "write members: train")
    if sets.non_members == "train":
        message = "the train split holds the members"
        yield Finding(at(*place, "non_members"), message, "write non_members: val, or test")
