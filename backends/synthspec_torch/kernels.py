"""The ops of the torch backend. Importing it loads torch."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from synthspec.backend.protocol import Artifact, Context, Kernel
from synthspec.ir.ops import Op
from synthspec_torch.families import FAMILIES, FAMILY_OPS, fit_of
from synthspec_torch.features.embedding import embed


def _of_the_family(name: str) -> Kernel:
    """The kernel `name` of whichever family the op is of."""

    def kernel(op: Op, inputs: Mapping[str, Artifact], context: Context) -> None:
        fit = fit_of(op)
        if fit is None:
            raise TypeError(f"{op.op} is of no engine")
        kernels: Mapping[str, Kernel] = import_module(FAMILIES[fit.engine.family].kernels).KERNELS
        kernels[name](op, inputs, context)

    return kernel


KERNELS: Mapping[str, Kernel] = {"embed": embed, **{name: _of_the_family(name) for name in FAMILY_OPS}}
