"""A contract is about a figure that is not measured.

Why: a missing figure leaves its contract unproven, never held. That is known before the run, so it is said before the run.
    What an acceleration has to keep is a bound of a contract, too: FID_ratio is made of FID, covg_delta of covg.

Refs: P405-9; P405-10; C40-511; C40-515; C40-516

Bad:
    evaluation.metrics: [FID, KID, recall, covg, latency_ms_p99, MI]

Good:
    evaluation.metrics: [FID, KID, recall, covg, mode_drop, latency_ms_p99, MI]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.contracts import CONTRACTS, limits
from synthspec.ir.figures import OF_THE_RUN
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import metrics
from synthspec.spec.evaluation import Contracts, declared


@rule(code="C40.metric-not-evaluated")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    if resolved.spec.evaluation is None:
        return  # the section is asked for by P405-9.reference-not-test
    if not metrics(resolved):
        yield Finding(
            at("evaluation", "metrics"), "nothing is measured", "write metrics: [...], what the contracts are about"
        )
        return
    asked = frozenset(metrics(resolved)) | OF_THE_RUN
    for name, stated in declared(resolved.spec.contracts or Contracts()).items():
        promise = next(one for one in CONTRACTS if one.id == name)
        found = limits(promise, stated)
        for term in promise.terms:
            if term.symbol in found and term.metric not in asked:
                yield Finding(
                    at("contracts", name, term.symbol),
                    f"{term.symbol} is about {term.metric}, which is not measured",
                    f"add {term.metric} to evaluation.metrics",
                    (Note("what is measured", at("evaluation", "metrics")),),
                )
    yield from _kept(resolved, asked)


def _kept(resolved: ResolvedSpec, asked: frozenset[str]) -> Iterator[Finding]:
    """Figures against the teacher (P405-10) without the metric that they are made of."""
    for number, how in enumerate(resolved.spec.acceleration):
        for term in (term for owner in CONTRACTS for term in owner.kept):
            metric = term.metric.partition("_")[0]
            if getattr(how.keep, term.metric, None) is not None and metric not in asked:
                yield Finding(
                    at("acceleration", number, "keep", term.metric),
                    f"{term.metric} is made of {metric}, which is not measured",
                    f"add {metric} to evaluation.metrics, or keep a figure that is measured",
                    (Note("what is measured", at("evaluation", "metrics")),),
                )
