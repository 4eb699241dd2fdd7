"""The measured membership risk would be published.

Why: MI is computed on members, so its value is an un-noised function of private records. The public manifest holds the verdict
    of C40-516; the value stays in the restricted one.

Refs: P405-4; C40-516

Bad on cancer-dp-vae:
    contracts.C40-516.publish: mi_value

Good:
    contracts.C40-516.publish: verdict
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism


@rule(code="P405-4.mi-published")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    promised = resolved.spec.contracts
    stated = None if promised is None else promised.c40_516
    if mechanism(resolved) is not None and stated is not None and stated.publish == "mi_value":
        yield Finding(
            at("contracts", "C40-516", "publish"),
            "the value of MI is an exact figure of private records",
            "write publish: verdict, or leave it out",
            (Note("the data are protected by this mechanism", at("privacy", "mechanism")),),
        )
