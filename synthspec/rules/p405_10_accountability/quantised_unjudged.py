"""A quantised engine is not judged on everything it may have lost.

Why: fewer bits a weight change the fidelity, the privacy and the latency of an engine, each in its own way. P405-10 asks for
    all three again; where one of them has no figure, evaluating it again leaves it out.

Refs: P405-10; M40-5.5; C40-511; C40-514; C40-516

Bad on digits-gan:
    acceleration: [{kind: quantize, dtype: int8}]

Good on digits-gan:
    acceleration: [{kind: quantize, dtype: int8}]
    evaluation.metrics: [FID, KID, precision, recall, covg, mode_drop, latency_ms_p99, MI]
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import metrics
from synthspec.spec.sampling import Compile, Quantize

OWED = {
    "fidelity": ("FID", "KID", "W1", "MMD", "sliced_W2", "FVD"),
    "privacy": ("MI",),
    "latency": ("latency_ms_p99",),
}
"""What has to be measured again, and the figures that answer."""


@rule(code="P405-10.quantised-unjudged", after=("P405-10.no-reevaluation", "C40.metric-not-evaluated"))
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    measured = set(metrics(resolved))
    for number, how in enumerate(resolved.spec.acceleration):
        if not isinstance(how, Quantize | Compile):
            continue
        for what, answers in OWED.items():
            if not measured.intersection(answers):
                yield Finding(
                    at("acceleration", number, "kind"),
                    f"{how.kind} makes another engine, and its {what} is not measured",
                    f"add {answers[0]} to evaluation.metrics",
                    (Note("what is measured", at("evaluation", "metrics")),),
                )
