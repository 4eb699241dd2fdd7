"""One name is given twice.

Why: names are how constraints, metrics and columns are reported. With two of one name a report does not say which.

Refs: P405-7; P405-9

Bad:
    evaluation.metrics: [FID, KID, recall, covg, mode_drop, latency_ms_p99, MI, FID]

Good:
    evaluation.metrics: [FID, KID, recall, covg, mode_drop, latency_ms_p99, MI]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import At, Finding, Note, at, at_sref, rule
from synthspec.rules.subject import metrics


@rule(code="schema.duplicate-name")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    named = [("metric", name, at("evaluation", "metrics", i)) for i, name in enumerate(metrics(resolved))]
    constraints = resolved.sref.constraints
    named += [("constraint", rule.id, at_sref("constraints", i, "id")) for i, rule in enumerate(constraints)]
    keys = resolved.sref.keys
    pk = () if keys is None else keys.pk
    named += [("key", name, at_sref("keys", "pk", number)) for number, name in enumerate(pk)]
    first: dict[tuple[str, str], At] = {}
    for kind, name, place in named:
        earlier = first.setdefault((kind, name), place)
        if earlier != place:
            message = f"there is a {kind} {name!r} already"
            yield Finding(place, message, "delete one of the two, or rename it", (Note("the earlier one", earlier),))
