"""The accountant counts other neighbours than the mechanism.

Why: clipping bounds what one unit can change under one adjacency; an accountant that assumes another one computes the eps of
    a different mechanism.

Refs: P405-4

Bad on cancer-dp-vae:
    privacy.accountant: {kind: pld, neighbours: add_remove}

Good:
    privacy.accountant: {kind: pld, neighbours: zero_out}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism
from synthspec.spec.privacy import Accountant


@rule(code="P405-4.adjacency-mismatch")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    block = mechanism(resolved)
    if block is None or not isinstance(block.accountant, Accountant) or block.adjacency is None:
        return
    if block.accountant.neighbours not in {None, block.adjacency}:
        yield Finding(
            at("privacy", "accountant", "neighbours"),
            f"the accountant assumes {block.accountant.neighbours}, the mechanism {block.adjacency}",
            f"write neighbours: {block.adjacency}, or leave it out",
            (Note("the adjacency of the mechanism", at("privacy", "adjacency")),),
        )
