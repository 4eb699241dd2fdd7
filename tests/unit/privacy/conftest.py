"""One tiny private training of every kind that is offered, on records that a test may change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from synthspec.backend.secret import Secret
from synthspec.ir.families import (
    Adversarial,
    AffineCoupling,
    Autoregressive,
    DpSgd,
    EdmSchedule,
    FlowEngine,
    GanConv,
    GanMlp,
    Hinge,
    LinearSchedule,
    MinSnr,
    MlpDenoiser,
    Optimizer,
    Relativistic,
    SplineCoupling,
    Stability,
    Training,
    TransformerDenoiser,
    UNet2d,
    VaeConv,
    VaeMlp,
    WganGp,
)
from synthspec.ir.schema import Field
from synthspec_torch.data.layout import Layout
from synthspec_torch.data.mixed import MixedCodec
from synthspec_torch.flow.cellwise import CellNetwork
from synthspec_torch.flow.mixed import MixedLearner, MixedRecords
from synthspec_torch.flow.network import FlowNetwork
from synthspec_torch.flow.scored import ScoredNetwork
from synthspec_torch.flow.training import Cells, FlowLearner
from synthspec_torch.flow.training import Records as FlowRecords
from synthspec_torch.gan.content import MixedContent
from synthspec_torch.gan.heads import Head
from synthspec_torch.gan.learner import Rules
from synthspec_torch.gan.networks import build_critic, build_generator
from synthspec_torch.gan.private import PrivateGan
from synthspec_torch.gan.probe import Records as GanRecords
from synthspec_torch.privacy.training import PrivateCourse, PrivateRun
from synthspec_torch.vae.learner import VaeLearner
from synthspec_torch.vae.likelihoods import build_likelihood
from synthspec_torch.vae.networks import build_vae
from synthspec_torch.vae.objective import BetaCourse
from synthspec_torch.vae.objective import Records as VaeRecords
from synthspec_torch.vae.residual import ResidualVae
from synthspec_torch.vae.spans import Spanned

ADAM = Optimizer(name="adam", lr=1e-3)
SECRET = Secret(bytes(range(32)), bytes(32))


class Quiet:
    """A log that nobody reads."""

    def write(self, step, epoch, signals):
        self.last = dict(signals)


def block(**changes):
    stated = {
        "mechanism": "dp-sgd", "unit": "record", "adjacency": "zero_out", "steps": 6,
        "sampling": {"scheme": "poisson", "rate": 0.3, "on_empty": "noise_only"},
        "clip": {"norm": 0.5, "per": "record", "scope": "flat"}, "noise": {"multiplier": 0.8},
        "normalizer": 8.0, "accountant": "pld", "delta": 1e-5, "eps_budget": 100.0,
    }  # fmt: skip
    return DpSgd.model_validate(stated | changes)


def course(records, training=None, stability=None, **changes):
    given = training or Training(optimizer=ADAM, seed=1)
    return PrivateCourse.of(given, stability or Stability(), block(**changes), records)


def run(learner, made, kind=PrivateRun, **parts):
    """A run of `kind` under way, with some of its parts changed."""
    begun = kind.of(learner, made, SECRET, Quiet())
    for name, part in parts.items():
        setattr(begun, name, part)
    return begun


def told(x):
    """Two numbers of each record as a condition, and the one that says that there is a condition."""
    return torch.cat([x[:, 4:6], torch.ones(len(x), 1)], 1)


LABELS = (partial(nn.Embedding, 3), lambda x: torch.arange(len(x)) % 3, torch.tensor(2))
"""Conditions that are one label: the layer that reads them, those of records, and that of no condition."""
NUMBERS = (partial(nn.Linear, 3, bias=False), told, torch.zeros(3))
"""The same of two numbers."""


def vae(architecture, shape, x, conditions=LABELS):
    torch.manual_seed(0)
    layer, given, null = conditions
    network = build_vae(architecture, shape, 2, layer)
    return vae_of(network, build_likelihood("gaussian", None), VaeRecords(x.view(-1, *shape), given(x)), null)


def table_vae(x, conditions):
    torch.manual_seed(0)
    layer, given, null = conditions
    codec = MixedCodec.declared(FIELDS, 6)
    cells = codec.encode(columns(x))
    rows = np.concatenate([cells.codes, codec.log_volume(cells)[:, None]], axis=1).astype(np.float32)
    law = Spanned(codec.columns)
    network = ResidualVae(law, VaeMlp(name="mlp", hidden=(8, 8), latent_dim=3, likelihood="mixed"), layer)
    return vae_of(woken(network), law, VaeRecords(torch.from_numpy(rows), given(x)), null)


def vae_of(network, likelihood, records, null):
    return VaeLearner(
        network, likelihood, records, records.take(slice(0, 0)), beta=BetaCourse(1.0), free_bits=0.0,
        drop_rate=0.2, null=null, seed=1,
    )  # fmt: skip


def woken(network):
    """With other weights than the zeros that some begin with, under which most gradients are 0, too."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.05 * torch.randn(weight.shape))
    return network


def flow(architecture, base, x):
    torch.manual_seed(0)
    engine = FlowEngine(family="flow", architecture=architecture, base_dist=base)
    numbers = x[:, :4].clone()
    records = FlowRecords(numbers, x[:, 4:6].clone())
    cells = Cells(torch.tensor([0.0, 0.5, 0.0, 0.1]), 0.0)
    return FlowLearner(FlowNetwork(engine, 4, 2), cells, records, records.take(torch.arange(0)), 1)


FIELDS = (
    Field(name="kind", role="content", dtype="categorical", enum=("a", "b", "c"), nullable=True),
    Field(name="amount", role="content", dtype="int32", range=(0.0, 5000.0)),
    Field(name="level", role="content", dtype="float64", range=(-20.0, 20.0), nullable=True),
    Field(name="on", role="content", dtype="bool"),
)
"""A table of mixed types: members, a count over decades, a number that may be missing, a truth value."""


def columns(x):
    """The columns of `FIELDS`, of each record by itself."""
    x = x.double().numpy()
    return {
        "kind": np.clip(np.floor(2 * x[:, 0] + 1), -1, 2).astype(np.int64),
        "amount": np.clip(np.floor(np.abs(x[:, 1]) * 300), 0, 5000).astype(np.int32),
        "level": np.where(x[:, 3] > 0.7, np.nan, np.clip(x[:, 2], -20, 20)),
        "on": (x[:, 4] > 0).astype(np.uint8),
    }


def table_flow(architecture, x):
    torch.manual_seed(0)
    codec = MixedCodec.declared(FIELDS, 6, grown=True)
    cells = codec.encode(columns(x))
    records = MixedRecords(
        torch.from_numpy(cells.codes), torch.from_numpy(cells.places), torch.from_numpy(codec.log_volume(cells)),
        x[:, 4:6].clone(),
    )  # fmt: skip
    if isinstance(architecture, Autoregressive):
        network = CellNetwork(codec.levels, 2, architecture.hidden, 0.0)
        network.start_at([column.shares for column in codec.columns])
    else:
        engine = FlowEngine(family="flow", architecture=architecture)
        network = ScoredNetwork(FlowNetwork(engine, codec.width, 2), codec)
    return MixedLearner(network, records, records.take(slice(0, 0)), 1)


def gan(architecture, objective, shape, x):
    torch.manual_seed(0)
    generator = build_generator(architecture, shape, 2, Head())
    critic = build_critic(architecture, shape, 2, spectral=isinstance(objective, Hinge))
    contents = x.view(-1, *shape) if x[0].numel() == torch.Size(shape).numel() else x[:, : shape[0]]
    # Adam would make a step of what is zero but for rounding: a bias before a norm has no gradient.
    rules = Rules(objective, 3, Optimizer(name="sgd", lr=1e-3), None)
    records = GanRecords(contents, x[:, -2:].clone())
    return PrivateGan(
        generator, critic, rules, records, lambda step, n: torch.zeros(n, 2), batch=4, seed=1,
        placed=lambda held, uniform: held,
    )  # fmt: skip


def table_gan(objective, x):
    torch.manual_seed(0)
    content = MixedContent(Layout.of(MixedCodec.declared(FIELDS, 6, grown=True)), 1)
    architecture = GanMlp(name="mlp", hidden=(8, 12), latent_dim=3)
    generator = build_generator(architecture, content.shape, 2, content.head())
    critic = build_critic(architecture, content.shape, 2, spectral=isinstance(objective, Hinge))
    rules = Rules(objective, generator.numbers, Optimizer(name="sgd", lr=1e-3), None)
    records = GanRecords(content.held(columns(x)), x[:, -2:].clone())
    return PrivateGan(
        generator, critic, rules, records, lambda step, n: torch.zeros(n, 2), batch=4, seed=1, placed=content.placed
    )


def diffusion(x, many, conditions=LABELS):
    torch.manual_seed(0)
    _, given, null = conditions
    network = Denoiser(UNet2d(name="unet2d", channels=(8, 8)), (1, 8, 8), 3, labelled=conditions is LABELS)
    records = DiffusionRecords(x.view(-1, 1, 8, 8).clamp(-1, 1), given(x))
    corruption = Corruption(Process(LinearSchedule(name="linear", train_steps=50)), "v", MinSnr(name="min_snr"))
    learner = DiffusionLearner(
        network, corruption, records, records.take(torch.arange(2)), drop_rate=0.2, null=null, seed=1
    )
    learner.multiplicity = many
    return learner


def table_diffusion(architecture, head, schedule, x, many=2):
    torch.manual_seed(0)
    content = TableContent(Layout.of(MixedCodec.declared(FIELDS, 6, grown=True)))
    records = DiffusionRecords(content.held(columns(x)), told(x))
    corruption = Corruption(Process(schedule), head, None, content.spread, content.choices)
    if architecture.name == "mlp":
        network = Mlp(architecture, content.shape, 3)
    else:
        network = TableTransformer(architecture, content.shape, 3, content.blocks)
    return private_diffusion(network, corruption, records, content.placed, many)


def series_diffusion(x):
    torch.manual_seed(0)
    content = SeriesContent(SeriesCodec.declared((Field(name="s", role="content", dtype="float64", shape=(2, 9),
                                                        range=(-30.0, 30.0)),)))  # fmt: skip
    series = x[:, :18].double().numpy().reshape(-1, 2, 9)
    records = DiffusionRecords(content.held({"s": np.clip(series, -30, 30)}), None)
    network = SeriesTransformer(TransformerDenoiser(name="transformer", width=8, depth=1, heads=2), content.shape, None)
    corruption = Corruption(Process(LinearSchedule(name="linear", train_steps=50)), "eps")
    return private_diffusion(network, corruption, records, content.placed, 1)


def private_diffusion(network, corruption, records, placed, many):
    null = None if records.given is None else torch.zeros(records.given.shape[1])
    learner = DiffusionLearner(
        woken(network), corruption, records, records.take(torch.arange(0)), drop_rate=0.2, null=null, seed=1
    )
    learner.multiplicity, learner.placed = many, placed
    return learner


@dataclass(frozen=True)
class Engine:
    name: str
    of: object
    """Records [n, 64] to a learner; the first weights are always the same."""

    def __str__(self):
        return self.name


try:
    from synthspec_diffusers.content import SeriesContent, TableContent
    from synthspec_diffusers.dense import Mlp, SeriesTransformer, TableTransformer
    from synthspec_diffusers.network import Denoiser
    from synthspec_diffusers.schedule import Process
    from synthspec_diffusers.series import SeriesCodec
    from synthspec_diffusers.training import Corruption, DiffusionLearner
    from synthspec_diffusers.training import Records as DiffusionRecords

    WITH_DIFFUSERS = True
except ImportError:
    WITH_DIFFUSERS = False


RPGAN = Relativistic(measure="rpgan", r1=0.5, r2=0.5, critic_steps=2)
WGAN = WganGp(measure="wgan_gp", lambda_gp=10.0, critic_steps=2)
ENGINES = [
    Engine("vae-mlp", lambda x: vae(
        VaeMlp(name="mlp", hidden=(16, 8), latent_dim=3, likelihood="gaussian", norm="layer"), (1, 1, 64), x)),
    Engine("vae-conv", lambda x: vae(
        VaeConv(name="conv", channels=(4, 8), latent_dim=3, likelihood="gaussian"), (1, 8, 8), x)),
    Engine("vae-conv-numbers", lambda x: vae(
        VaeConv(name="conv", channels=(4, 8), latent_dim=3, likelihood="gaussian"), (1, 8, 8), x, NUMBERS)),
    Engine("vae-cells", lambda x: table_vae(x, LABELS)),
    Engine("vae-cells-numbers", lambda x: table_vae(x, NUMBERS)),
    Engine("flow-spline", lambda x: flow(
        SplineCoupling(name="spline_coupling", transforms=2, hidden=(12,), bins=4), "normal", x)),
    Engine("flow-affine-actnorm-t", lambda x: flow(
        AffineCoupling(name="affine_coupling", transforms=2, hidden=(8,), actnorm={"init": "identity"}), "student_t", x)),
    Engine("flow-autoregressive", lambda x: flow(
        Autoregressive(name="autoregressive", transforms=1, hidden=(8,), bins=4), "normal", x)),
    Engine("flow-cells", lambda x: table_flow(
        Autoregressive(name="autoregressive", transforms=1, hidden=(8, 8), bins=6), x)),
    Engine("flow-scores", lambda x: table_flow(
        SplineCoupling(name="spline_coupling", transforms=2, hidden=(12,), bins=4), x)),
    Engine("gan-mlp-penalty", lambda x: gan(GanMlp(name="mlp", hidden=(8, 12), latent_dim=3), WGAN, (6,), x)),
    Engine("gan-conv-penalty", lambda x: gan(GanConv(name="conv", channels=(8, 4), latent_dim=3), WGAN, (1, 8, 8), x)),
    Engine("gan-mlp-spectral", lambda x: gan(
        GanMlp(name="mlp", hidden=(8, 12), latent_dim=3), Hinge(measure="hinge", critic_steps=2), (6,), x)),
]  # fmt: skip
ENGINES += [
    Engine("gan-numbers-pairs", lambda x: gan(GanMlp(name="mlp", hidden=(8, 12), latent_dim=3), RPGAN, (6,), x)),
    Engine("gan-cells-pairs", lambda x: table_gan(RPGAN, x)),
    Engine("gan-cells-penalty", lambda x: table_gan(WGAN, x)),
    Engine("gan-cells", lambda x: table_gan(Adversarial(measure="gan", critic_steps=2), x)),
    Engine("gan-cells-spectral", lambda x: table_gan(Hinge(measure="hinge", critic_steps=2), x)),
]
if WITH_DIFFUSERS:
    TRANSFORMER = TransformerDenoiser(name="transformer", width=8, depth=1, heads=2)
    ENGINES += [
        Engine("diffusion-unet-of-3", lambda x: diffusion(x, 3)),
        Engine("diffusion-unet-numbers", lambda x: diffusion(x, 2, NUMBERS)),
        Engine("diffusion-mlp-cells", lambda x: table_diffusion(
            MlpDenoiser(name="mlp", hidden=(16, 16)), "edm", EdmSchedule(name="edm"), x)),
        Engine("diffusion-transformer-cells", lambda x: table_diffusion(
            TRANSFORMER, "v", LinearSchedule(name="linear", train_steps=50), x, many=1)),
        Engine("diffusion-transformer-series", series_diffusion),
    ]  # fmt: skip


@pytest.fixture(params=ENGINES, ids=str)
def engine(request):
    return request.param


@pytest.fixture
def records():
    """[24, 64], the last of which is far from the others."""
    x = torch.randn(24, 64, generator=torch.Generator().manual_seed(3)) * 0.5
    x[-1] = x[-1] * 6.0
    return x


@pytest.fixture
def kit():
    """The builders above, which a test module cannot import."""
    return __import__("types").SimpleNamespace(
        ADAM=ADAM, ENGINES=ENGINES, SECRET=SECRET, Quiet=Quiet, block=block, course=course, run=run, gan=gan, WGAN=WGAN
    )
