"""A diffusion engine: its network, built or read back, and the way it is sampled. Importing it loads torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from synthspec.backend.engines import rows_of
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.families import (
    DiffusionEngine,
    Distill,
    LSimple,
    MlpDenoiser,
    NoiseSchedule,
    TransformerDenoiser,
    UNet2d,
)
from synthspec.ir.ops import Fit, Sample
from synthspec.ir.solvers import law_of
from synthspec_diffusers.content import Content, read_content
from synthspec_diffusers.dense import Mlp, SeriesTransformer, TableTransformer
from synthspec_diffusers.heads import head_of
from synthspec_diffusers.path import Path
from synthspec_diffusers.schedule import Grid, even_grid
from synthspec_torch.data.given import Given, GivenLabel, given_of
from synthspec_torch.training.seeding import initial_weights
from synthspec_torch.weights import load_weights, save_weights

WEIGHTS = "weights/denoiser.safetensors"
"""The averaged weights at the best validation, and `SIGMA_DATA` beside them."""
SIGMA_DATA = "sigma_data"
"""The standard deviation of the normalised train rows, float64 [1]."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A trained engine, or a student of one, with the way it is sampled."""

    network: nn.Module
    schedule: NoiseSchedule
    path: Path
    content: Content
    given: Given | None

    def write(self, context: Context, weights: Mapping[str, torch.Tensor]) -> None:
        """Write `weights` of its network as `fit` does."""
        save_weights(context.out / WEIGHTS, {**weights, SIGMA_DATA: torch.tensor([self.path.sigma_data]).double()})
        self.content.write(context)


def read_engine(op: Sample, inputs: Mapping[str, Artifact]) -> Engine:
    """The engine that `op` samples. Raises WeightsError for a file that holds another."""
    engine, objective = parts(op.fit)
    if op.solver is None:
        raise TypeError("a diffusion sample has a solver")
    content, given = read_content(op.fit, inputs["engine"]), given_of(op.fit, rows_of(inputs, "train"))
    network, sigma_data = trained_network(op.fit, inputs["engine"], content, given)
    null, schedule, steps = None if given is None else given.null, engine.noise_schedule, op.solver.steps
    grid, bound = _grid(op, schedule, steps), content.bound
    if is_student(op) and op.solver.name == "ddim":
        bound = None  # a step that does what several did may go beyond the records
    head = head_of(schedule, objective)
    path = Path(grid, op.solver.name, head, op.w_cfg, null, bound, sigma_data, op.guidance, content.choices)
    return Engine(network, schedule, path, content, given)


def trained_network(op: Fit, engine: Artifact, content: Content, given: Given | None) -> tuple[nn.Module, float]:
    """The network that lies in `engine`, and the sigma of the data beside it."""
    # The first weights are replaced at once; building them must not draw from the global generator.
    with initial_weights(0):
        network = build_network(op, content, given)
    stored = load_weights(engine.path(WEIGHTS), {**network.state_dict(), SIGMA_DATA: torch.zeros(1).double()})
    sigma_data = float(stored.pop(SIGMA_DATA))
    network.load_state_dict(stored)
    return network.eval().requires_grad_(requires_grad=False), sigma_data


def _grid(op: Sample, schedule: NoiseSchedule, steps: int) -> Grid:
    """The levels that a block visits: those that a student was taught, or those of the schedule."""
    if op.solver is not None and law_of(op.solver.name).adaptive:
        return Grid.stretch(schedule, (1.0,))
    return even_grid(schedule, steps) if is_student(op) else Grid.along(schedule, steps)


def is_student(op: Sample) -> bool:
    """Whether the engine that `op` samples was distilled."""
    return any(isinstance(how, Distill) for how in op.made_by)


def build_network(op: Fit, content: Content, given: Given | None) -> nn.Module:
    """The network of the op's architecture with fresh weights."""
    architecture = parts(op)[0].architecture
    width = None if given is None else given.width
    match architecture:
        case UNet2d():
            from synthspec_diffusers.network import Denoiser

            channels, height, side = content.shape
            return Denoiser(architecture, (channels, height, side), width, labelled=isinstance(given, GivenLabel))
        case MlpDenoiser():
            return Mlp(architecture, content.shape, width)
        case TransformerDenoiser():
            if content.blocks:
                return TableTransformer(architecture, content.shape, width, content.blocks)
            return SeriesTransformer(architecture, content.shape, width)
        case _:
            raise TypeError(f"no network is built for {architecture.name}")


def parts(op: Fit) -> tuple[DiffusionEngine, LSimple]:
    """The engine and the objective of a diffusion `op`. Raises TypeError for another."""
    if not isinstance(op.engine, DiffusionEngine) or not isinstance(op.objective, LSimple):
        raise TypeError("this kernel trains diffusion on l_simple")
    return op.engine, op.objective
