"""Samples are compared with private records after training.

Why: what follows a mechanism is free only as long as it does not read the data again. Removing samples that lie close to a
    training record tells where that record lies.

Refs: P405-4; M40-5.8

Bad on cancer-dp-vae:
    release: {near_copies: {tau_nn: 0.02, action: remove}}

Good without release:
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism


@rule(code="P405-4.postprocess-reads-data")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    release = resolved.spec.release
    if mechanism(resolved) is None or release is None or release.near_copies is None:
        return
    yield Finding(
        at("release", "near_copies"),
        "the screen for near copies reads private records after the mechanism has ended",
        "leave it out: eps_total bounds what a sample can say of a record",
        (Note("the data are protected by this mechanism", at("privacy", "mechanism")),),
    )
