"""A digest of private data would be published.

Why: who has all records but one tries candidates for it until the digest fits. Under a mechanism the data are pinned by a
    salted commitment in the restricted manifest, never by their bare digest.

Refs: P405-4

Bad on cancer-dp-vae:
    data.sha256: "0000000000000000000000000000000000000000000000000000000000000000"

Good without data.sha256:
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism


@rule(code="P405-4.private-digest")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    if mechanism(resolved) is not None and resolved.spec.data.sha256 is not None:
        yield Finding(
            at("data", "sha256"),
            "the digest of private data lets anyone test guesses about a record",
            "leave it out: the restricted manifest holds a salted commitment",
            (Note("the data are protected by this mechanism", at("privacy", "mechanism")),),
        )
