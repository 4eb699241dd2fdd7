"""Clipping does not bound what one unit contributes.

Why: the norm of a batch's mean says nothing about one record in it. Each record (or each entity, where that is the unit) is
    clipped before it is added.

Refs: P405-4; S405-8

Bad on cancer-dp-vae:
    privacy.clip: {norm: 1.0, per: batch, scope: flat}

Good:
    privacy.clip: {norm: 1.0, per: record, scope: flat}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import dp_sgd


@rule(code="P405-4.clip-scope")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = dp_sgd(resolved)
    if block is None or block.clip is None:
        return
    by_entity = block.unit is not None and block.unit != "record"
    wanted = {"record", "entity"} if by_entity else {"record"}
    if block.clip.per not in wanted:
        yield Finding(
            at("privacy", "clip", "per"),
            f"clipping per {block.clip.per} does not bound what one {block.unit or 'record'} contributes",
            f"write per: {'entity' if by_entity else 'record'}",
            (Note("the unit of privacy", at("privacy", "unit")),),
        )
