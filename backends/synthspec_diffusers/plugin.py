"""The plugin: what it takes, and what it needs installed. Imports no framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synthspec.backend.auditing import CanaryRun
from synthspec.backend.environment import absent, facts
from synthspec.backend.protocol import Kernel
from synthspec.ir.families import DpSgd
from synthspec.ir.ops import Accelerate, Assess, Fit, Latency, Op, Replay, Sample
from synthspec_diffusers.acceleration.support import student_reasons
from synthspec_diffusers.support import fit_reasons, sample_reasons


@dataclass(frozen=True, slots=True)
class DiffusersBackend:
    """Diffusion and flow matching over images, tables of mixed types and series, on the CPU."""

    name: str = "diffusers"
    version: str = "7"
    """6: no channel of a narrow U-Net is alone in its norm.

    2: the sigma of the data is kept beside the weights, and ancestral noise is told by e^-h.
    """

    def supports(self, op: Op) -> tuple[str, ...]:
        match op:
            case Fit():
                return tuple(fit_reasons(op))
            case Sample():
                return tuple(dict.fromkeys(sample_reasons(op)))
            case Latency() | Replay():
                return self.supports(op.sample)
            case Accelerate():
                return tuple(dict.fromkeys((*fit_reasons(op.fit), *student_reasons(op))))
            case Assess():
                likely = tuple(f"diffusion has no {name}" for name in op.metrics)
                return tuple(dict.fromkeys((*fit_reasons(op.fit), *likely)))
            case _:
                return (f"`{op.op}` is not among its ops: fit, accelerate, assess, sample, latency, replay",)

    def missing(self) -> str:
        return absent(("numpy", "safetensors", "scipy", "torch", "diffusers"), "diffusers")

    def environment(self) -> Mapping[str, str]:
        return facts(("diffusers", "numpy", "safetensors", "scipy", "torch"))

    def kernels(self) -> Mapping[str, Kernel]:
        from synthspec_diffusers.kernels import KERNELS

        return KERNELS

    def audit(self, block: DpSgd, canaries: int, seed: int | None) -> CanaryRun:
        from synthspec_torch.privacy.canaries import audit

        return audit(block, canaries, seed)


BACKEND = DiffusersBackend()
