"""Rejection sampling has no cap.

Why: a sampler that tries again until a record passes may never end, and it bends the law of what it keeps. M40-5 step 4
    asks for a cap, which the manifest then shows.

Refs: P405-2; M40-5.4

Bad without conditioning.rejection:

Good:
    conditioning.rejection: {max_attempts: 4}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule


@rule(code="P405-2.rejection-uncapped")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    conditioning, release = resolved.spec.conditioning, resolved.spec.release
    rejection = None if conditioning is None else conditioning.rejection
    if rejection is not None and rejection.max_attempts is not None:
        return
    place = at("conditioning", "rejection", "max_attempts")
    advice = "write how many attempts a kept record may cost, such as max_attempts: 4"
    if rejection is not None:
        yield Finding(place, "rejection sampling has no cap", advice)
    elif conditioning is None and resolved.sref.with_role("condition"):
        return  # the section is asked for by P405-2.condition-unregistered
    elif release is not None and release.near_copies is not None and release.near_copies.action == "resample":
        because = Note("near copies are resampled", at("release", "near_copies", "action"))
        yield Finding(place, "near copies are sampled again without a cap", advice, (because,))
