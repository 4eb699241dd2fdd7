"""The conditions of records as a network is told them: one tensor, the one that stands for no condition, and its layer.

Where all conditions are categories of few combinations they are one class label, which has a row of a table. Any others
are one vector, members of an enum one-hot beside standardised numbers, and a linear map of it tells classes and numbers
alike: of a one-hot vector it is that table (P405-2, S405-6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from synthspec.backend.dataset import Column, Dataset
from synthspec.ir.families import MlpDenoiser, NoMechanism, TransformerDenoiser
from synthspec.ir.ops import Fit
from synthspec_torch.data.context import ContextCodec
from synthspec_torch.data.labels import Labels
from synthspec_torch.support import is_label

Embedding = Callable[[int], nn.Module]
"""Makes the layer from conditions to so many numbers."""


class Given(Protocol):
    """The conditions of records as one tensor, and the one that stands for no condition (S405-6)."""

    @property
    def null(self) -> torch.Tensor:
        """No condition, for one record."""

    @property
    def width(self) -> int:
        """Labels that there are, or numbers of a condition; the null condition included."""

    def encode(self, columns: Mapping[str, Column], records: int) -> torch.Tensor:
        """The conditions of `records` records, [records, *null.shape]. Raises DataError for a number that is missing."""

    def embedding(self, width: int) -> nn.Module:
        """A fresh layer from conditions [n, *null.shape] to [n, width]: standard normal weights, without a bias."""


@dataclass(frozen=True, slots=True)
class GivenLabel:
    """Categorical conditions as one class label, for an embedding table."""

    labels: Labels

    @property
    def null(self) -> torch.Tensor:
        return torch.tensor(self.labels.null)

    @property
    def width(self) -> int:
        return self.labels.null + 1

    def encode(self, columns: Mapping[str, Column], records: int) -> torch.Tensor:
        del records
        return torch.from_numpy(self.labels.encode(columns))

    def embedding(self, width: int) -> nn.Module:
        return nn.Embedding(self.width, width)


@dataclass(frozen=True, slots=True)
class GivenVector:
    """Conditions of any kind as one vector, whose last number is 1 where there is a condition; all 0 is none."""

    codec: ContextCodec

    @property
    def null(self) -> torch.Tensor:
        return torch.zeros(self.width)

    @property
    def width(self) -> int:
        return self.codec.width + 1

    def encode(self, columns: Mapping[str, Column], records: int) -> torch.Tensor:
        vectors = torch.from_numpy(self.codec.encode(columns, records)).float()
        return torch.cat([vectors, torch.ones(records, 1)], 1)

    def embedding(self, width: int) -> nn.Module:
        layer = nn.Linear(self.width, width, bias=False)
        # As an embedding table begins: what a condition becomes is as large as a latent.
        nn.init.normal_(layer.weight)
        return layer


def given_of(op: Fit, train: Dataset) -> Given | None:
    """The conditions that the network of `op` is told; None where it has none. Raises DataError for a missing number.

    The moments of numbers are those of the rows `train`, which a sampler has at hand as well; under a mechanism they come
    from the SRef. The dense denoisers have no table for labels.
    """
    if not op.conditions:
        return None
    dense = isinstance(op.engine.architecture, MlpDenoiser | TransformerDenoiser)
    if not dense and is_label(op.schema, op.conditions):
        return GivenLabel(Labels(tuple(op.schema.field(name) for name in op.conditions)))
    if not isinstance(op.privacy, NoMechanism):
        return GivenVector(ContextCodec.declared(op.schema, op.conditions))
    return GivenVector(ContextCodec.fitted(op.schema, op.conditions, train.columns))


def dropped(given: torch.Tensor, null: torch.Tensor, u: torch.Tensor, rate: float) -> torch.Tensor:
    """Conditions `given` [n, ...] with `null` in place of those whose number in `u` [n] lies below `rate`."""
    return torch.where((u < rate).view(-1, *(1,) * (given.dim() - 1)), null, given)
