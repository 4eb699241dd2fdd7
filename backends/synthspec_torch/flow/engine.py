"""A trained flow with its codecs: what training keeps, and what sampling and assessing load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from synthspec.backend.dataset import Column, Dataset
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.families import FlowEngine, NoMechanism
from synthspec.ir.ops import Fit
from synthspec_torch.data.context import ContextCodec
from synthspec_torch.data.table import TableCodec
from synthspec_torch.flow.network import FlowNetwork
from synthspec_torch.flow.training import Cells, Records
from synthspec_torch.training.seeding import initial_weights
from synthspec_torch.weights import load_weights, save_weights

WEIGHTS = "weights/flow.safetensors"
"""The weights at the best validation, and the moments that records are standardised by."""
_MOMENTS = ("content.shift", "content.scale", "context.shift", "context.scale")


@dataclass(frozen=True)
class TrainedFlow:
    """A flow and the maps between its numbers and the columns of the SRef."""

    network: FlowNetwork
    content: TableCodec
    context: ContextCodec

    @classmethod
    def fresh(cls, op: Fit, train: Mapping[str, Column], seed: int) -> TrainedFlow:
        """An untrained flow for the train rows; its first weights depend on `seed` alone. Raises DataError.

        Under a mechanism the scales come from the SRef: no row is looked at.
        """
        if isinstance(op.privacy, NoMechanism):
            content = TableCodec.fitted(op.schema.with_role("content"), train)
            context = ContextCodec.fitted(op.schema, op.conditions, train)
        else:
            content = TableCodec.declared(op.schema.with_role("content"))
            context = ContextCodec.declared(op.schema, op.conditions)
        return cls(network_of(op, content.width, context.width, seed), content, context)

    @classmethod
    def read(cls, op: Fit, engine: Artifact) -> TrainedFlow:
        """The flow that `write` left. Raises WeightsError for a file that holds another."""
        fields = op.schema.with_role("content")
        conditions = tuple(op.schema.field(name) for name in op.conditions)
        width = sum(field.size for field in fields)
        context = ContextCodec(conditions, np.zeros(len(conditions)), np.ones(len(conditions)))
        # The first weights are replaced at once; building them must not draw from the global generator.
        network = network_of(op, width, context.width, seed=0)
        sizes = (width, width, len(conditions), len(conditions))
        empty = {name: torch.zeros(size, dtype=torch.float64) for name, size in zip(_MOMENTS, sizes, strict=True)}
        stored = load_weights(engine.path(WEIGHTS), {**network.state_dict(), **empty})
        moments = [stored.pop(name).numpy() for name in _MOMENTS]
        network.load_state_dict(stored)
        network.eval().requires_grad_(requires_grad=False)
        content = TableCodec(fields, moments[0], moments[1])
        return cls(network, content, ContextCodec(conditions, moments[2], moments[3]))

    def write(self, context: Context, weights: Mapping[str, torch.Tensor]) -> None:
        """Write `weights` of the network with the moments of the codecs."""
        moments = (self.content.shift, self.content.scale, self.context.shift, self.context.scale)
        tensors = {name: torch.from_numpy(value.copy()) for name, value in zip(_MOMENTS, moments, strict=True)}
        save_weights(context.out / WEIGHTS, {**weights, **tensors})

    @property
    def cells(self) -> Cells:
        return Cells(torch.from_numpy(self.content.cell), self.content.nats_in_units)

    def records(self, data: Dataset, dtype: torch.dtype = torch.float32) -> Records:
        """The rows of `data` as the network sees them. Raises DataError for a row that the SRef does not allow."""
        return Records.of(self.content.encode(data.columns), self.context.encode(data.columns, len(data)), dtype)


def network_of(op: Fit, width: int, context: int, seed: int) -> FlowNetwork:
    """The network of `op` over `width` numbers; the global generator is left as it was."""
    if not isinstance(op.engine, FlowEngine):
        raise TypeError("this module makes flows")
    with initial_weights(seed):
        return FlowNetwork(op.engine, width, context)
