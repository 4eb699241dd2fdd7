"""A transform would be fitted to private records.

Why: a mean, a quantile or a mixture of private records is a release of its own, and samples are put back through it. The
    range of the SRef was stated without looking; a transform by it costs nothing. Under dp-noise transforms are free: they
    are fitted to records that are drawn from what was released.

Refs: P405-4; P405-7

Bad on cancer-dp-vae:
    data.transform: {mean_area: quantile}

Good:
    data.transform: {mean_area: linear}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.subject import mechanism, sees_records
from synthspec.spec.data import Constant
from synthspec.spec.privacy import DpSgd

FITTED = {
    "standard": "the mean and the spread",
    "quantile": "the quantiles",
    "gmm": "the modes",
}
"""What a transform takes from the training split."""


@rule(code="P405-4.data-dependent-transform")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    if mechanism(resolved) is None:
        return
    because = (Note("the data are protected by this mechanism", at("privacy", "mechanism")),)
    # Under dp-noise a transform is fitted to drawn records; gaps are filled before any are drawn.
    fitted = {} if sees_records(resolved) is None else resolved.spec.data.transform
    for name, kind in fitted.items():
        if kind in FITTED:
            message = f"{kind} takes {FITTED[kind]} of {name!r} from private records"
            yield Finding(at("data", "transform", name), message, "write linear, which goes by the SRef", because)
    yield from _imputed(resolved, because)


def _imputed(resolved: ResolvedSpec, because: tuple[Note, ...]) -> Iterator[Finding]:
    how, block = resolved.spec.data.impute, mechanism(resolved)
    if isinstance(block, DpSgd) and block.imputation is not None:
        return  # of noisy counts, and charged
    noisy = "release it with noise (privacy.imputation), " if isinstance(block, DpSgd) else ""
    fills = how if isinstance(how, dict) else {"": how} if how else {}
    for name, kind in fills.items():
        if not isinstance(kind, Constant):
            message = f"missing values would be filled with the {kind} of private records"
            advice = f"fill with a constant, {noisy}or leave it out: a nullable field keeps its gaps"
            yield Finding(at("data", "impute", name) if name else at("data", "impute"), message, advice, because)
