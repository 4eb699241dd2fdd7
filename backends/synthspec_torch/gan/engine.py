"""A trained generator with its codecs: what training keeps, and what sampling loads. The critic is not kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from synthspec.backend.dataset import Column, Dataset
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.families import GanConv, GanEngine, GanMlp, NoMechanism
from synthspec.ir.ops import Fit
from synthspec_torch.data.context import ContextCodec
from synthspec_torch.gan.balance import F64, Balance, Release
from synthspec_torch.gan.content import Content, blank, declared, fitted, restored
from synthspec_torch.gan.networks import Generator, build_generator
from synthspec_torch.gan.probe import Records
from synthspec_torch.training.seeding import initial_weights
from synthspec_torch.weights import load_weights, save_weights

WEIGHTS = "weights/generator.safetensors"
"""The averaged weights with the least `KID_val`, and what contents and conditions are standardised by."""
_CONTEXT = ("context.shift", "context.scale")


@dataclass(frozen=True)
class TrainedGan:
    """A generator and the maps between its numbers and the columns of the SRef."""

    network: Generator
    content: Content
    context: ContextCodec
    seed: int
    balance: Balance | None = None
    """The discrete fields that a training by sampling draws records by."""
    release: Release | None = None
    """How a release draws their members."""

    @classmethod
    def fresh(cls, op: Fit, train: Mapping[str, Column]) -> TrainedGan:
        """An untrained generator for the train rows; torch's global generator gives its first weights. Raises DataError.

        Under a mechanism the scales come from the SRef: no row is looked at.
        """
        seed = op.training.seed or 0
        if isinstance(op.privacy, NoMechanism):
            content, context = fitted(op.schema, train, seed), ContextCodec.fitted(op.schema, op.conditions, train)
        else:
            content, context = declared(op.schema, seed), ContextCodec.declared(op.schema, op.conditions)
        balance = Balance.of(op, content)
        release = None if balance is None else Release.of(balance, balance.codes(content.encode(train), train))
        return cls(_network(op, content, context, balance), content, context, seed, balance, release)

    @classmethod
    def read(cls, op: Fit, engine: Artifact) -> TrainedGan:
        """The generator that `write` left. Raises WeightsError for a file that holds another."""
        conditions = tuple(op.schema.field(name) for name in op.conditions)
        seed = op.training.seed or 0
        count, content = len(conditions), blank(op.schema, engine, seed)
        balance = Balance.of(op, content)
        context = ContextCodec(conditions, np.zeros(count), np.ones(count))
        # The first weights are replaced at once; building them must not draw from the global generator.
        with initial_weights(0):
            network = _network(op, content, context, balance)
        moments = {name: torch.zeros(count, dtype=torch.float64) for name in _CONTEXT}
        stored = load_weights(engine.path(WEIGHTS), {**network.state_dict(), **content.stored, **moments})
        shift, scale = (stored.pop(name).numpy() for name in _CONTEXT)
        content = restored(content, {name: stored.pop(name) for name in content.stored})
        network.load_state_dict(stored)
        network.eval().requires_grad_(requires_grad=False)
        release = None if balance is None else Release.read(balance, engine)
        return cls(network, content, ContextCodec(conditions, shift, scale), seed, balance, release)

    def write(self, context: Context, weights: Mapping[str, torch.Tensor]) -> None:
        """Write `weights` of the generator with what the codecs were fitted to."""
        moments = (torch.from_numpy(value.copy()) for value in (self.context.shift, self.context.scale))
        tensors = dict(zip(_CONTEXT, moments, strict=True))
        save_weights(context.out / WEIGHTS, {**weights, **self.content.stored, **tensors})
        self.content.write(context)
        if self.release is not None:
            self.release.write(context)

    @property
    def told(self) -> int:
        """Numbers that the networks are told of a record: its conditions, then a member of a discrete field."""
        return self.context.width + (0 if self.balance is None else self.balance.width)

    def held(self, data: Dataset) -> Records:
        """The rows of `data` as a mechanism holds them until a step places them. Raises DataError as `records` does."""
        conditions = torch.from_numpy(self.context.encode(data.columns, len(data))).float()
        return Records(self.content.held(data.columns), conditions)

    def records(self, data: Dataset) -> Records:
        """The rows of `data` as the networks see them. Raises DataError for a row that the SRef does not allow."""
        conditions = torch.from_numpy(self.context.encode(data.columns, len(data))).float()
        x = self.content.encode(data.columns)
        if self.balance is None:
            return Records(x, conditions)
        member = self.balance.some(self.balance.codes(x, data.columns), self.seed)
        return Records(x, torch.cat([conditions, self.balance.tell(member)], 1))

    def conditions(self, columns: Mapping[str, Column], u: F64) -> torch.Tensor:
        """What the generator is told of records to be made: conditions `columns`, and members by uniform numbers u [n]."""
        conditions = torch.from_numpy(self.context.encode(columns, len(u))).float()
        if self.balance is None or self.release is None:
            return conditions
        members = self.release.draw(self.balance, self.balance.conditions(columns, len(u)), u)
        return torch.cat([conditions, self.balance.tell(members)], 1)


def architecture_of(op: Fit) -> GanMlp | GanConv:
    """The networks of `op`. Raises TypeError for those of another family."""
    if not isinstance(op.engine, GanEngine) or not isinstance(op.engine.architecture, GanMlp | GanConv):
        raise TypeError("this module makes the GANs mlp and conv")
    return op.engine.architecture


def _network(op: Fit, content: Content, context: ContextCodec, balance: Balance | None) -> Generator:
    told, sure = (0, ()) if balance is None else (balance.width, balance.slots)
    return build_generator(architecture_of(op), content.shape, context.width + told, content.head(), sure)
