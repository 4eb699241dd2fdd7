"""The plugin: what it takes, and what it needs installed. Imports no framework."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from synthspec.backend.auditing import CanaryRun
from synthspec.backend.environment import absent, facts
from synthspec.backend.protocol import Kernel
from synthspec.ir.families import DpSgd, Pate
from synthspec.ir.ops import Embed, Op
from synthspec_torch.families import OPS, family_reasons
from synthspec_torch.support import clip_reasons, image_reasons


@dataclass(frozen=True, slots=True)
class TorchBackend:
    """The families of `synthspec_torch.families`, and features of pictures and clips under weights that the user brings."""

    name: str = "torch"
    version: str = "6"

    def supports(self, op: Op) -> tuple[str, ...]:
        if isinstance(op, Embed):
            return tuple(_embed_reasons(op))
        reasons = family_reasons(op)
        return (f"`{op.op}` is not among its ops: {', '.join(OPS)}",) if reasons is None else reasons

    def missing(self) -> str:
        return absent(("numpy", "safetensors", "torch", "zuko"), "torch")

    def environment(self) -> Mapping[str, str]:
        return facts(("numpy", "safetensors", "torch", "zuko"))

    def kernels(self) -> Mapping[str, Kernel]:
        from synthspec_torch.kernels import KERNELS

        return KERNELS

    def inspect(self, op: Op, root: Path) -> None:
        if isinstance(op, Embed):
            from synthspec_torch.features.opening import open_network

            open_network(op.features, root, op.module)

    def audit(self, block: DpSgd | Pate, canaries: int, seed: int | None) -> CanaryRun:
        if isinstance(block, Pate):
            from synthspec_torch.gan.pate_audit import audit as audit_votes

            return audit_votes(block, canaries, seed)
        from synthspec_torch.privacy.canaries import audit

        return audit(block, canaries, seed)


def _embed_reasons(op: Embed) -> Iterator[str]:
    features, modality = op.features, op.schema.modality
    if features.name == "embedded":
        yield "features embedded need no backend"
    elif not features.weights or not features.sha256:
        yield f"features {features.name} need evaluation.features.weights (a safetensors file) and its sha256"
    if features.name == "module" and modality == "video":
        yield from clip_reasons(op.schema)
        return
    yield from image_reasons(op.schema)
    for field in op.schema.with_role("content"):
        if features.name != "module" and len(field.shape) == 3 and field.shape[0] not in (1, 3):
            yield f"{field.name!r} has {field.shape[0]} channels; {features.name} sees grey or RGB"


BACKEND = TorchBackend()
