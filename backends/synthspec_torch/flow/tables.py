"""A trained flow of a table of mixed types, and what its ops do: fit, load and assess (S405-3, C40-512)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr

from synthspec.backend.blocks import Drawn
from synthspec.backend.dataset import Column, Dataset
from synthspec.backend.draws import Stream, generator
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.evidence import Figure
from synthspec.ir.families import Autoregressive, FlowEngine, NoMechanism
from synthspec.ir.ops import Fit
from synthspec_torch.data.cells import F64
from synthspec_torch.data.context import ContextCodec
from synthspec_torch.data.mixed import Cells, MixedCodec
from synthspec_torch.data.partition import BINS
from synthspec_torch.flow.cellwise import DROPOUT, CellNetwork
from synthspec_torch.flow.inversion import FAR, LARGEST
from synthspec_torch.flow.likelihood import DRAWS, Likelihood
from synthspec_torch.flow.mixed import MixedRecords, TableNetwork, log_density
from synthspec_torch.flow.network import FlowNetwork
from synthspec_torch.flow.scored import ScoredNetwork
from synthspec_torch.training.seeding import initial_weights, settle_threads
from synthspec_torch.weights import load_weights, save_weights

WEIGHTS = "weights/flow.safetensors"
_MOMENTS = ("context.shift", "context.scale")
_EDGE = 1e-12
"""Base numbers keep this far from 0 and 1: seven scales out."""


@dataclass(frozen=True)
class TableFlow:
    """A flow over the cells of columns, under a context."""

    network: TableNetwork
    codec: MixedCodec
    context: ContextCodec

    @classmethod
    def fresh(cls, op: Fit, train: Mapping[str, Column], seed: int) -> TableFlow:
        """An untrained flow; its first weights depend on `seed` alone. Raises DataError for rows that do not fit.

        Under a mechanism cells, scales and first shares come from the SRef: no row is looked at.
        """
        fields = op.schema.with_role("content")
        if isinstance(op.privacy, NoMechanism):
            codec = MixedCodec.fitted(fields, train, _bins(op))
            context = ContextCodec.fitted(op.schema, op.conditions, train)
        else:
            codec = MixedCodec.declared(fields, _bins(op), grown=True)
            context = ContextCodec.declared(op.schema, op.conditions)
        return cls(_network(op, codec, context.width, seed), codec, context)

    @classmethod
    def read(cls, op: Fit, engine: Artifact) -> TableFlow:
        """The flow that `write` left. Raises WeightsError for files that hold another."""
        codec = MixedCodec.read(op.schema.with_role("content"), engine)
        conditions = tuple(op.schema.field(name) for name in op.conditions)
        empty = {name: torch.zeros(len(conditions), dtype=torch.float64) for name in _MOMENTS}
        width = ContextCodec(conditions, np.zeros(len(conditions)), np.ones(len(conditions))).width
        network = _network(op, codec, width, seed=0)
        stored = load_weights(engine.path(WEIGHTS), {**network.state_dict(), **empty})
        shift, scale = (stored.pop(name).numpy() for name in _MOMENTS)
        network.load_state_dict(stored)
        network.eval().requires_grad_(requires_grad=False)
        return cls(network, codec, ContextCodec(conditions, shift, scale))

    def write(self, context: Context, weights: Mapping[str, torch.Tensor]) -> None:
        """Write `weights` of the network with the moments of the context, and the cells of the columns."""
        moments = (self.context.shift, self.context.scale)
        tensors = {name: torch.from_numpy(value.copy()) for name, value in zip(_MOMENTS, moments, strict=True)}
        save_weights(context.out / WEIGHTS, {**weights, **tensors})
        self.codec.write(context)

    def records(self, data: Dataset) -> MixedRecords:
        """The rows of `data`. Raises DataError for a value that the SRef does not allow."""
        return self.records_of(self.codec.encode(data.columns), self.told(data.columns, len(data)))

    def records_of(self, cells: Cells, c: torch.Tensor) -> MixedRecords:
        codes, places = torch.from_numpy(cells.codes), torch.from_numpy(cells.places)
        return MixedRecords(codes, places, torch.from_numpy(self.codec.log_volume(cells)), c)

    def told(self, columns: Mapping[str, Column], size: int) -> torch.Tensor:
        """The contexts of `size` records."""
        return torch.from_numpy(self.context.encode(columns, size)).float()


def _bins(op: Fit) -> int:
    architecture = op.engine.architecture
    return architecture.bins if isinstance(architecture, Autoregressive) else BINS


def _network(op: Fit, codec: MixedCodec, context: int, seed: int) -> TableNetwork:
    if not isinstance(op.engine, FlowEngine):
        raise TypeError("this module makes flows")
    architecture = op.engine.architecture
    with initial_weights(seed):
        if isinstance(architecture, Autoregressive):
            # Which numbers are left out is drawn for a batch: not where each record has a gradient of its own.
            dropout = DROPOUT if isinstance(op.privacy, NoMechanism) else 0.0
            network = CellNetwork(codec.levels, context, architecture.hidden, dropout)
            network.start_at([column.shares for column in codec.columns])
            return network
        return ScoredNetwork(FlowNetwork(op.engine, codec.width, context), codec)


@dataclass(frozen=True)
class TableSampler:
    """A trained flow that draws blocks. Block b depends on the seed, b and the block's size alone."""

    flow: TableFlow
    conditions: Callable[[int, int], Mapping[str, Column]]
    """Condition columns of ``(block, size)``."""
    seed: int
    threads: int
    device: str = "cpu"

    @torch.inference_mode()
    def draw(self, block: int, size: int) -> Drawn:
        """`size` records of block `block`, with the sequential passes of a draw."""
        settle_threads(self.threads)
        columns = dict(self.conditions(block, size))
        u = base_numbers(generator(self.seed, Stream.START, block), (size, self.flow.codec.width))
        cells = self.flow.network.from_base(u, self.flow.told(columns, size))
        content = self.flow.codec.decode(cells)
        passes = self.flow.network.passes
        return Drawn(
            data=Dataset(dict(sorted({**columns, **content}.items()))), net_calls=passes, net_evals_per_sample=passes
        )


def base_numbers(rng: np.random.Generator, shape: tuple[int, int]) -> F64:
    """Base numbers of records, uniform on (0, 1)."""
    return np.clip(rng.random(shape), _EDGE, 1.0 - _EDGE)


@torch.inference_mode()
def likelihood(flow: TableFlow, records: MixedRecords, seed: int) -> Likelihood:
    """The likelihood of `records`; where values are spread, from `DRAWS` dequantisations that depend on `seed` alone."""
    exact = isinstance(flow.network, CellNetwork)
    rng = generator(seed, Stream.VALIDATE, 0)
    draws = [-log_density(flow.network, records, rng) for _ in range(1 if exact else DRAWS)]
    nats = torch.stack(draws)
    how = "exact masses of cells" if exact else "dequant=uniform in scores,k=1"
    return Likelihood(nats, float(records.volume.mean()) * -1.0, flow.codec.width, quantised=not exact, how=how)


@torch.inference_mode()
def inversion(flow: TableFlow, records: MixedRecords, seed: int) -> Figure:
    """inv_error of `records` (the first `LARGEST`), of as many prior draws and of as many base numbers six scales out.

    Errors are parts of the shares of a column (of the train rows, or public): how far a value comes back among its cells.
    Data make the round trip from their cells and back; base numbers u through cells and back.
    """
    chosen = records.take(slice(0, LARGEST))
    rng = generator(seed, Stream.VALIDATE, 1)
    shape = (len(chosen), flow.codec.width)
    far = ndtr(np.where(rng.random(shape) < 0.5, rng.choice((-FAR, FAR), shape), rng.uniform(-FAR, FAR, shape)))
    errors = {
        "data": _of_data(flow, chosen),
        "prior": _of_base(flow, base_numbers(rng, shape), chosen.c),
        "six_sigma": _of_base(flow, far, chosen.c),
    }
    worst = max(errors.values())
    label = "inv_error[max over data, prior, 6 sigma]"
    if not math.isfinite(worst):
        return Figure(name="inv_error", label=label, value=None, reason="a round trip ends in no finite number")
    return Figure(
        name="inv_error",
        label=label,
        value=worst,
        upper=worst,
        method="exact",
        n_real=len(chosen),
        details=(
            *errors.items(),
            ("n_each", len(chosen)),
            ("relative_to", "the shares that a column's ordered cells are given"),
            ("values_changed", _changed(flow, chosen)),
        ),
    )


def _of_data(flow: TableFlow, records: MixedRecords) -> float:
    back = flow.network.from_base(flow.network.to_base(records), records.c)
    return float(np.abs(flow.codec.ranks(back) - flow.codec.ranks(records.cells)).max())


def _of_base(flow: TableFlow, u: F64, c: torch.Tensor) -> float:
    cells = flow.network.from_base(u, c)
    again = flow.network.to_base(flow.records_of(cells, c))
    return float(np.abs(again - u).max())


def _changed(flow: TableFlow, records: MixedRecords) -> int:
    """Discrete values among the records that do not come back as they were."""
    back = flow.codec.decode(flow.network.from_base(flow.network.to_base(records), records.c))
    was = flow.codec.decode(records.cells)
    discrete = [field.name for field in flow.codec.fields if was[field.name].dtype.kind != "f" or field.resolution]
    return sum(int(((back[name] != was[name]) & ~(_gap(back[name]) & _gap(was[name]))).sum()) for name in discrete)


def _gap(column: Column) -> NDArray[np.bool_]:
    return np.asarray(np.not_equal(column, column))
