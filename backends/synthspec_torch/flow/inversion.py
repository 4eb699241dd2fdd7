"""The figure inv_error of a flow (C40-512): how far a round trip misses, in parts of a column's scale.

On data, on prior samples and on inputs six scales out: a flow can be exact on data and no bijection beside them.
"""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import torch

from synthspec.backend.draws import Stream, generator
from synthspec.ir.evidence import Figure
from synthspec_torch.flow.engine import TrainedFlow
from synthspec_torch.flow.network import FlowNetwork
from synthspec_torch.flow.sampling import base_numbers
from synthspec_torch.flow.training import Records
from synthspec_torch.training.seeding import torch_generator

LARGEST = 1024
"""Records of each kind that make the round trip."""
FAR = 6.0
"""How far out the far inputs lie, in scales of their columns."""


def inversion(flow: TrainedFlow, records: Records, seed: int) -> Figure:
    """inv_error of `records` (the first `LARGEST`), of as many prior samples and of as many far inputs.

    The value is the largest error in float32, which is what samples; that in float64 is in the details.
    """
    label = "inv_error[max over data, prior, 6 sigma]"
    chosen = records.take(torch.arange(min(len(records), LARGEST)))
    spread = replace(chosen, x=flow.cells.spread(chosen.x.double(), torch_generator(seed, Stream.VALIDATE)))
    single = _errors(flow.network, spread, seed, torch.float32)
    double = _errors(copy.deepcopy(flow.network).double(), spread, seed, torch.float64)
    worst = max(single.values())
    if not math.isfinite(worst):
        where = ", ".join(name for name, error in single.items() if not math.isfinite(error))
        return Figure(name="inv_error", label=label, value=None, reason=f"no finite round trip from: {where}")
    return Figure(
        name="inv_error",
        label=label,
        value=worst,
        upper=worst,
        method="exact",
        n_real=len(chosen),
        details=(
            *((f"fp32_{name}", error) for name, error in single.items()),
            *((f"fp64_{name}", error) for name, error in double.items() if math.isfinite(error)),
            ("n_each", len(chosen)),
            ("relative_to", "the scale that its column is standardised by"),
        ),
    )


@torch.inference_mode()
def _errors(network: FlowNetwork, records: Records, seed: int, dtype: torch.dtype) -> dict[str, float]:
    """The largest error by kind of input; infinite where a number comes back as none."""
    shape, c = records.x.shape, records.c.to(dtype)
    rng = generator(seed, Stream.VALIDATE, 1)
    z = torch.from_numpy(base_numbers(network, rng, shape[0])).to(dtype)
    corners = torch.from_numpy(rng.choice((-FAR, FAR), shape)).to(dtype)
    anywhere = torch.from_numpy(rng.uniform(-FAR, FAR, shape)).to(dtype)
    made = network.inverse(z, c)
    far = max(_round_trip(network, corners, c), _round_trip(network, anywhere, c))
    back = (network(made, c)[0] - z).abs().max().item()
    prior = max(_round_trip(network, made, c), back if math.isfinite(back) else math.inf)
    return {"data": _round_trip(network, records.x.to(dtype), c), "prior": prior, "six_sigma": far}


def _round_trip(network: FlowNetwork, x: torch.Tensor, c: torch.Tensor) -> float:
    error = (network.inverse(network(x, c)[0], c) - x).abs().max().item()
    return error if math.isfinite(error) else math.inf
