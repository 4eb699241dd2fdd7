"""Fewer bits a weight: matrices and kernels as int8 with a scale for each output, or as bf16 (P405-10).

Only weights are rounded: a loader puts them back into float32 and computes as ever. So bytes repeat as those of the engine
before did, and all that is measured, a log-determinant included, is of the rounded weights. The file is smaller; whether
requests are faster is for the latency to say.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import torch

from synthspec.backend.artifacts import FIT_REPORT, TRAINING_LOG, FitReport, read_report, write_report
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.families import Quantize
from synthspec.ir.ops import Accelerate
from synthspec_torch.weights import SCALE, read_state, save_weights, unpacked

LEAST = 64
"""Numbers below which a tensor is left as it is: its scales would outweigh it."""
NOT_HANDED_ON = frozenset({FIT_REPORT, TRAINING_LOG})
"""What was written about the engine before, and is not of this one."""


def quantize(op: Accelerate, inputs: Mapping[str, Artifact], context: Context, names: tuple[str, ...]) -> None:
    """Round the weights in the files `names` of the engine, and hand on the rest of what made it."""
    if not isinstance(op.how, Quantize):
        raise TypeError(f"{op.how.kind} rounds nothing")
    engine, dtype, tensors, numbers, worst = inputs["engine"], op.how.dtype, 0, 0, 0.0
    for name in engine.files:
        if name in names:
            state = read_state(engine.path(name))
            rounded = {key: value for key, tensor in state.items() for key, value in packed(key, tensor, dtype).items()}
            chosen = [tensor for key, tensor in state.items() if is_rounded(tensor)]
            tensors, numbers = tensors + len(chosen), numbers + sum(tensor.numel() for tensor in chosen)
            worst = max([worst, *(_error(tensor, dtype) for tensor in chosen)])
            save_weights(context.out / name, rounded)
        elif name not in NOT_HANDED_ON:
            target = context.out / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(engine.path(name), target)
    report = read_report(engine.path(FIT_REPORT), FitReport)
    facts = (("dtype", dtype), ("rounded_tensors", tensors), ("rounded_numbers", numbers), ("largest_error", worst))
    write_report(
        context.out,
        FIT_REPORT,
        FitReport(status=report.status, steps=0, best_step=0, parameters=report.parameters, events=(), facts=facts),
    )


def is_rounded(tensor: torch.Tensor) -> bool:
    """Matrices and kernels of float32 are; biases, norms, moments and counters are few and stay."""
    return tensor.dtype == torch.float32 and tensor.dim() >= 2 and tensor.numel() >= LEAST


def packed(name: str, tensor: torch.Tensor, dtype: str) -> dict[str, torch.Tensor]:
    """`tensor` as it is stored: under its name, with its scales beside it where it is int8."""
    if not is_rounded(tensor):
        return {name: tensor}
    if dtype == "bf16":
        return {name: tensor.to(torch.bfloat16)}
    scale = scales(tensor)
    shape = (-1, *(1,) * (tensor.dim() - 1))
    return {name: (tensor / scale.view(shape)).round().clamp(-127, 127).to(torch.int8), name + SCALE: scale}


def scales(tensor: torch.Tensor) -> torch.Tensor:
    """One scale an output: its largest weight over 127, and 1 where all are 0."""
    largest = tensor.flatten(1).abs().amax(1) / 127.0
    return torch.where(largest > 0, largest, torch.ones_like(largest))


def _error(tensor: torch.Tensor, dtype: str) -> float:
    """The largest rounding error, as a part of the largest weight."""
    again = unpacked(packed("w", tensor, dtype))["w"]
    largest = tensor.abs().max().item()
    return (again - tensor).abs().max().item() / largest if largest else 0.0
