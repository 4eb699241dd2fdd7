"""What is asked of every engine that samples in one evaluation, before its family has its own say. Pure, as `support` is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from synthspec.backend.conditions import condition_reasons
from synthspec.ir.ops import Accelerate, Assess, Fit, Latency, Replay, Sample
from synthspec_torch.acceleration.support import acceleration_reasons


def one_step_reasons(
    op: Fit | Accelerate | Sample | Latency | Replay | Assess,
    family: str,
    fit_reasons: Callable[[Fit], Iterator[str]],
    assess_reasons: Callable[[Assess], Iterator[str]],
    *,
    likelihood: bool = False,
) -> Iterator[str]:
    """Why `op` of `family` cannot be computed; `likelihood` says that a density of its is published."""
    match op:
        case Fit():
            yield from fit_reasons(op)
        case Sample():
            yield from fit_reasons(op.fit)
            yield from condition_reasons(op)
            if op.w_cfg:
                yield f"guidance (w_cfg) is for diffusion; a {family} samples its conditional law as it is"
        case Latency() | Replay():
            yield from one_step_reasons(op.sample, family, fit_reasons, assess_reasons)
        case Accelerate():
            yield from fit_reasons(op.fit)
            yield from acceleration_reasons(op, one_evaluation=family, likelihood=likelihood)
        case Assess():
            yield from assess_reasons(op)
