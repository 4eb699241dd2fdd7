"""VAEs of tables of mixed types: every column has the law of its cells given z (likelihood ``mixed``, S405-1).

A column of two cells has a Bernoulli law, any other a categorical one, and places are uniform within a cell
(`synthspec_torch.data.cells`): the likelihood is normalised, of masses where a column is discrete and of a density per
unit of the SRef elsewhere. A spike or a missing value is a cell of its own, so no number is blurred into it. Under a
mechanism a column has a law of few parameters instead (`synthspec_torch.vae.spans`).

A record is the row [code of each column, log-volume of its cells]: the volume is what a density takes off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch
from torch import nn

from synthspec.backend.blocks import Drawn
from synthspec.backend.dataset import Column, Dataset
from synthspec.backend.draws import Stream, generator
from synthspec.backend.protocol import Artifact
from synthspec.ir.evidence import Scalar
from synthspec.ir.families import NoMechanism, VaeEngine, VaeMlp
from synthspec.ir.ops import Fit
from synthspec_torch.data.given import Embedding, Given, given_of
from synthspec_torch.data.masses import masses
from synthspec_torch.data.mixed import Cells, MixedCodec
from synthspec_torch.meter import Meter
from synthspec_torch.training.seeding import initial_weights, settle_threads
from synthspec_torch.vae.assess import Subject
from synthspec_torch.vae.likelihoods import Likelihood
from synthspec_torch.vae.networks import FlatDecoder, Vae, build_ladder, mlp
from synthspec_torch.vae.objective import Records
from synthspec_torch.vae.residual import ResidualVae
from synthspec_torch.vae.spans import BINS, Spanned
from synthspec_torch.weights import load_weights

_OPEN = 2.0**-24


class Mixed(Likelihood):
    """The cells of columns, each with its own masses. Parameters: one logit a cell, column after column."""

    def __init__(self, levels: tuple[int, ...]) -> None:
        self.levels = levels
        self.parameters = sum(levels)

    def log_prob(self, out: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Log-probability of each column and, last, less the log-volume: out [n, parameters], x [n, D + 1], both in nat."""
        codes = x[:, :-1].long()
        each = [
            -nn.functional.cross_entropy(logits, codes[:, j], reduction="none")
            for j, logits in enumerate(torch.split(out, list(self.levels), dim=1))
        ]
        return torch.stack([*each, -x[:, -1]], 1)

    def mean(self, out: torch.Tensor) -> torch.Tensor:
        del out
        raise TypeError("columns of mixed types have no mean")

    def draw(self, out: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        """Code plus place of each column at the quantiles u [n, D] along its cells; [n, D], float64."""
        # Column after column in memory, as they are made and as they are read.
        drawn = torch.empty(u.shape[::-1], dtype=torch.float64)
        for j, logits in enumerate(torch.split(out, list(self.levels), dim=1)):
            mass = masses(logits)
            upper = mass.cumsum(1).contiguous()
            wanted = u[:, j, None] * upper[:, -1:]
            # The last cell is open upwards: it is found where no earlier one is.
            code = torch.searchsorted(upper, wanted, right=True).clamp_(max=mass.shape[1] - 1)
            over = (upper.gather(1, code) - wanted) / mass.gather(1, code)
            torch.add(code[:, 0], (1.0 - over[:, 0]).double().clamp_(0.0, 1.0 - _OPEN), out=drawn[j])
        return drawn.T


class CellEncoder(nn.Module):
    """An MLP over the sum of the embedded cells of a record, beside the embedded conditions."""

    def __init__(
        self, levels: tuple[int, ...], extra: int, hidden: tuple[int, ...], out: int, norm: str | None
    ) -> None:
        super().__init__()
        starts = [0, *accumulate(levels)]
        self.starts = starts[:-1]
        self.seen = nn.EmbeddingBag(starts[-1], hidden[0], mode="sum")
        nn.init.normal_(self.seen.weight, std=0.3)
        self.told = nn.Linear(extra, hidden[0]) if extra else None
        self.body = mlp(hidden, norm)
        self.head = nn.Linear(hidden[-1], out)

    def forward(self, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        h = self.seen(x[:, :-1].long() + torch.tensor(self.starts))
        if self.told is not None:
            h = h + self.told(told)
        out: torch.Tensor = self.head(self.body(nn.functional.silu(h)))
        return out


@dataclass(frozen=True)
class TableVae:
    """A VAE over the cells of columns, under its conditions."""

    network: Vae
    likelihood: Mixed | Spanned
    codec: MixedCodec
    given: Given | None

    @classmethod
    def fresh(cls, op: Fit, train: Dataset, seed: int) -> TableVae:
        """An untrained VAE for the train rows; its first weights depend on `seed` alone. Raises DataError.

        Under a mechanism the cells come from the SRef: no row is looked at.
        """
        fields = op.schema.with_role("content")
        private = not isinstance(op.privacy, NoMechanism)
        codec = MixedCodec.declared(fields, BINS) if private else MixedCodec.fitted(fields, train.columns)
        return cls.on(op, codec, given_of(op, train), seed)

    @classmethod
    def on(cls, op: Fit, codec: MixedCodec, given: Given | None, seed: int) -> TableVae:
        """An untrained VAE on the cells of `codec`, told its conditions as `given`: of the SRef alone under a mechanism."""
        architecture, told = _architecture(op), None if given is None else given.embedding
        with initial_weights(seed):
            if isinstance(op.privacy, NoMechanism):
                return cls(_network(architecture, codec, told), Mixed(codec.levels), codec, given)
            likelihood = Spanned(codec.columns)
            return cls(ResidualVae(likelihood, architecture, told), likelihood, codec, given)

    @classmethod
    def read(cls, op: Fit, engine: Artifact, name: str, given: Given | None) -> TableVae:
        """The VAE whose weights lie in the file `name` of `engine`. Raises WeightsError for one that holds another."""
        vae = cls.on(op, MixedCodec.read(op.schema.with_role("content"), engine), given, seed=0)
        vae.network.load_state_dict(load_weights(engine.path(name), vae.network.state_dict()))
        vae.network.eval().requires_grad_(requires_grad=False)
        return vae

    def records(self, data: Dataset) -> Records:
        """The rows of `data`. Raises DataError for a value that the SRef does not allow."""
        cells = self.codec.encode(data.columns)
        x = np.concatenate([cells.codes, self.codec.log_volume(cells)[:, None]], axis=1).astype(np.float32)
        given = None if self.given is None else self.given.encode(data.columns, len(data))
        return Records(torch.from_numpy(x), given)


def _architecture(op: Fit) -> VaeMlp:
    if not isinstance(op.engine, VaeEngine) or not isinstance(op.engine.architecture, VaeMlp):
        raise TypeError("tables have the VAE mlp")
    return op.engine.architecture


def _network(architecture: VaeMlp, codec: MixedCodec, told: Embedding | None) -> Vae:
    levels = codec.levels
    width = architecture.hidden[-1] // 4 + 1 if told else 0
    latent, norm = architecture.latent_dim, architecture.norm
    encoder = CellEncoder(levels, width, architecture.hidden, 2 * latent, norm)
    decoder = FlatDecoder(latent + width, architecture.hidden[::-1], (sum(levels),), norm)
    with torch.no_grad():
        # What no train row has seen must not begin as likely as the rest.
        decoder.head.bias.copy_(torch.from_numpy(np.log(np.concatenate([column.shares for column in codec.columns]))))
    return Vae(encoder, decoder, told, width, build_ladder(architecture))


@dataclass(frozen=True)
class TableSubject(Subject):
    """What is assessed of a table: the log-volume is part of its records."""

    @property
    def dimensions(self) -> int:
        return int(self.splits(self.split).x.shape[1]) - 1

    @property
    def offset(self) -> float:
        return 0.0

    @property
    def facts(self) -> tuple[tuple[str, Scalar], ...]:
        support = "masses of discrete columns, densities per unit of continuous ones"
        return (("beta", 1.0), ("given", self.given), ("support", support), ("dimensions", self.dimensions))


@dataclass(frozen=True)
class TableVaeSampler:
    """A trained VAE that draws blocks. Block b depends on the seed, b and the block's size alone."""

    vae: TableVae
    meter: Meter
    latent: int
    conditions: Callable[[int, int], Mapping[str, Column]]
    """Condition columns of ``(block, size)``."""
    seed: int
    threads: int
    device: str = "cpu"

    @torch.inference_mode()
    def draw(self, block: int, size: int) -> Drawn:
        """`size` records of block `block`: one evaluation of the decoder each."""
        settle_threads(self.threads)
        self.meter.reset()
        columns = dict(self.conditions(block, size))
        given = None if self.vae.given is None else self.vae.given.encode(columns, size)
        z = generator(self.seed, Stream.START, block).standard_normal((size, self.latent), dtype=np.float32)
        u = generator(self.seed, Stream.STEP, block).random((size, self.vae.codec.width), dtype=np.float32)
        out = self.vae.network.decode(torch.from_numpy(z), given)
        drawn = self.vae.likelihood.draw(out, torch.from_numpy(u).clamp_(_OPEN, 1.0 - _OPEN)).numpy()
        codes = drawn.astype(np.int64)
        content = self.vae.codec.decode(Cells(codes, drawn - codes))
        calls, evaluations = self.meter.read(size)
        return Drawn(
            data=Dataset(dict(sorted({**columns, **content}.items()))),
            net_calls=calls,
            net_evals_per_sample=evaluations,
        )
