"""Which part of the torch backend makes which family. Pure: a family's kernels are imported when its first op runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from synthspec.ir.ops import Accelerate, Assess, Fit, Latency, Op, Replay, Sample
from synthspec_torch.flow.support import reasons as flow_reasons
from synthspec_torch.gan.support import reasons as gan_reasons
from synthspec_torch.vae.support import reasons as vae_reasons

FamilyOp = Fit | Accelerate | Sample | Latency | Replay | Assess
"""The ops that are about the engine of one family."""
FAMILY_OPS = ("accelerate", "assess", "fit", "latency", "replay", "sample")
"""Those that a family may have a kernel for."""
OPS = ("embed", *FAMILY_OPS)


@dataclass(frozen=True, slots=True)
class Family:
    """One family: why it cannot take an op, and the module whose ``KERNELS`` take the others."""

    reasons: Callable[[FamilyOp], Iterator[str]]
    kernels: str


FAMILIES: Mapping[str, Family] = {
    "flow": Family(flow_reasons, "synthspec_torch.flow.kernels"),
    "gan": Family(gan_reasons, "synthspec_torch.gan.kernels"),
    "vae": Family(vae_reasons, "synthspec_torch.vae.kernels"),
}


def fit_of(op: Op) -> Fit | None:
    """The training that `op` is about; None for an op that is about no engine."""
    match op:
        case Fit():
            return op
        case Sample() | Accelerate() | Assess():
            return op.fit
        case Latency() | Replay():
            return op.sample.fit
        case _:
            return None


def family_reasons(op: Op) -> tuple[str, ...] | None:
    """Why the family of `op` cannot be computed here, empty when it can; None for an op that is about no engine."""
    if not isinstance(op, FamilyOp):
        return None
    fit = fit_of(op)
    name = fit.engine.family if fit else ""
    if name not in FAMILIES:
        return (f"family {name} is not supported here: only {', '.join(sorted(FAMILIES)) or 'embed'}",)
    return tuple(FAMILIES[name].reasons(op))
