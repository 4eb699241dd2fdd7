"""The ``null`` backend: it learns nothing and draws content uniformly from the ranges and enums of the schema.

It is the floor that every engine must beat, and it makes a pipeline run in no time. It never stands in for an engine: a
spec must name it, in quotes (``backend: "null"``), for a bare ``null`` in YAML is no value. Loads no numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synthspec.backend.columns import made_fields
from synthspec.backend.conditions import condition_reasons
from synthspec.backend.environment import absent, facts
from synthspec.backend.protocol import Kernel
from synthspec.ir.ops import Accelerate, Assess, Fit, Latency, Op, Replay, Sample
from synthspec.spec.privacy import NoMechanism


@dataclass(frozen=True, slots=True)
class NullBackend:
    """Every family, every modality, no learning."""

    name: str = "null"
    version: str = "1"

    def supports(self, op: Op) -> tuple[str, ...]:
        match op:
            case Fit():
                return _fit_reasons(op)
            case Sample():
                return (*_fit_reasons(op.fit), *condition_reasons(op))
            case Latency() | Replay():
                return self.supports(op.sample)
            case Assess():
                said = tuple(f"it says nothing of itself: no {name}" for name in op.metrics)
                return (*_fit_reasons(op.fit), *said)
            case Accelerate():
                return (f"nothing was trained, so there is nothing to {op.how.kind}",)
            case _:
                return (f"`{op.op}` is not the work of a backend that makes data",)

    def missing(self) -> str:
        return absent(("numpy", "safetensors"), "data")

    def environment(self) -> Mapping[str, str]:
        return facts(("numpy", "safetensors"))

    def kernels(self) -> Mapping[str, Kernel]:
        from synthspec.backend.null_kernels import KERNELS

        return KERNELS


def _fit_reasons(op: Fit) -> tuple[str, ...]:
    reasons = [
        f"{field.name!r} is text, and text has no range to draw from"
        for field in made_fields(op)
        if field.dtype == "string" and field.name not in op.conditions
    ]
    reasons += [
        f"{field.name!r} is categorical without an enum to draw from"
        for field in made_fields(op)
        if field.dtype == "categorical" and not field.enum
    ]
    reasons += [
        f"nothing is trained, so {field.name!r} is put before no network: no {field.transform}"
        for field in op.schema.fields
        if field.transform
    ]
    if op.training.init_from is not None:
        reasons.append("nothing is trained, so it starts from no weights")
    if not isinstance(op.privacy, NoMechanism):
        reasons.append(f"nothing is trained, so {op.privacy.mechanism} has nothing to protect; write `mechanism: none`")
    return tuple(reasons)


BACKEND = NullBackend()
