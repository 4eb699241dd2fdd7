"""What rounding and compiling need, asked before anything runs. Pure: no framework and no numpy is loaded."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.families import Compile, Quantize
from synthspec.ir.ops import Accelerate

NOT_COMPILED = (
    "compile: torch.compile builds kernels with whatever compiler a machine has when it runs; no plan can pin their bytes, "
    "so no replay could be compared"
)


def acceleration_reasons(op: Accelerate, *, one_evaluation: str = "", likelihood: bool = False) -> Iterator[str]:
    """Why ``op.how`` cannot be done to an engine.

    `one_evaluation` names a family that has nothing to distil; `likelihood` says that a density of its is published.
    """
    how = op.how
    if isinstance(how, Compile):
        yield NOT_COMPILED
    elif isinstance(how, Quantize):
        if any(isinstance(before, Quantize) for before in op.after):
            yield "quantize: the weights are rounded already"
        if likelihood and how.dtype == "bf16":
            yield "quantize bf16: nll and bpd of a flow are not published of bf16 weights; int8 keeps a scale for each output"
    elif one_evaluation:
        yield f"distill: a {one_evaluation} samples in one evaluation, and there are no steps to save"
