"""The plugin: what it takes, and what it needs installed. Imports no framework."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from synthspec.backend.conditions import condition_reasons
from synthspec.backend.environment import absent, facts
from synthspec.backend.protocol import Kernel
from synthspec.ir.families import DiffusionEngine, EdmSchedule, FlowMatchingSchedule, LSimple, NoMechanism, UNet2d
from synthspec.ir.ops import Accelerate, Fit, Latency, Op, Replay, Sample
from synthspec_torch.support import image_reasons, label_reasons, monitor_reasons, training_reasons

EPOCH_SIGNALS = frozenset({"loss_val", "head_r2"})
"""What a training emits once an epoch, of the averaged weights on the val split."""


@dataclass(frozen=True, slots=True)
class DiffusersBackend:
    """Image diffusion on `UNet2DModel`, conditioned on categorical fields, on the CPU."""

    name: str = "diffusers"
    version: str = "1"

    def supports(self, op: Op) -> tuple[str, ...]:
        match op:
            case Fit():
                return tuple(_fit_reasons(op))
            case Sample():
                return (*_fit_reasons(op.fit), *condition_reasons(op), *_sample_reasons(op))
            case Latency() | Replay():
                return self.supports(op.sample)
            case Accelerate():
                return (f"this backend makes no engine faster: no {op.how.kind}",)
            case _:
                return (f"`{op.op}` is not among its ops: fit, sample, latency, replay",)

    def missing(self) -> str:
        return absent(("numpy", "safetensors", "torch", "diffusers"), "diffusers")

    def environment(self) -> Mapping[str, str]:
        return facts(("diffusers", "numpy", "safetensors", "torch"))

    def kernels(self) -> Mapping[str, Kernel]:
        from synthspec_diffusers.kernels import KERNELS

        return KERNELS


def _fit_reasons(op: Fit) -> Iterator[str]:
    if not isinstance(op.engine, DiffusionEngine):
        yield f"family {op.engine.family} is not supported: only diffusion"
        return
    yield from _architecture_reasons(op.engine)
    if not isinstance(op.objective, LSimple):
        yield f"measure {op.objective.measure} is not supported: only l_simple"
    elif op.objective.weighting is not None:
        yield f"weighting {op.objective.weighting.name} is not supported"
    if isinstance(op.engine.noise_schedule, EdmSchedule | FlowMatchingSchedule):
        yield f"noise schedule {op.engine.noise_schedule.name} is not supported"
    elif op.engine.noise_schedule.zero_terminal_snr:
        yield "zero_terminal_snr is not supported"
    if not isinstance(op.privacy, NoMechanism):
        yield f"privacy mechanism {op.privacy.mechanism} is not supported: only none"
    yield from image_reasons(op.schema)
    yield from label_reasons(op.schema, op.conditions)
    yield from training_reasons(op.training)
    yield from monitor_reasons(op.stability, EPOCH_SIGNALS)


def _architecture_reasons(engine: DiffusionEngine) -> Iterator[str]:
    architecture = engine.architecture
    if not isinstance(architecture, UNet2d):
        yield f"architecture {architecture.name} is not supported: only unet2d"
        return
    levels = len(architecture.channels)
    if architecture.attention is not None and len(architecture.attention) != levels:
        yield f"attention has {len(architecture.attention)} entries for {levels} levels of channels"


def _sample_reasons(op: Sample) -> Iterator[str]:
    if op.solver is None:
        yield "sampling names no solver"
        return
    times = (
        getattr(op.fit.engine.noise_schedule, "train_steps", None)
        if isinstance(op.fit.engine, DiffusionEngine)
        else None
    )
    if times is not None and op.solver.steps > times:
        yield f"{op.solver.steps} solver steps on a noise schedule of {times}"
    if op.solver.name not in ("ddpm", "ddim", "dpmsolver++", "unipc"):
        yield f"solver {op.solver.name} is not supported"
    if op.guidance is not None:
        yield f"a w_cfg that is {op.guidance.name} is not supported"
    if op.w_cfg and not op.fit.conditions:
        yield "guidance needs a condition; the engine has none"
    if op.w_cfg and not op.fit.drop_rate:
        yield "guidance needs drop_rate > 0; the engine never saw a record without its condition"


BACKEND = DiffusersBackend()
