"""Small ops of every family, modality and kind: what `supports` must have an answer to. Pure, loads no numpy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from synthspec.ir.ops import (
    Accelerate,
    Align,
    Arrive,
    Assess,
    Bind,
    Embed,
    Emit,
    Enforce,
    Export,
    Fit,
    Impute,
    Isolate,
    Judge,
    KnownEngine,
    KnownObjective,
    Latency,
    Measure,
    Mechanism,
    Op,
    Refer,
    Replay,
    Sample,
    Shadow,
    Split,
    Statistics,
)
from synthspec.ir.schema import Field, Schema
from synthspec.ir.solvers import SOLVERS, SolverPlan, evaluations
from synthspec.spec.conditioning import Variable
from synthspec.spec.data import RandomSplit
from synthspec.spec.engine import (
    CosineSchedule,
    DiffusionEngine,
    Family,
    FlowEngine,
    GanConv,
    GanEngine,
    GanMlp,
    MlpDenoiser,
    SplineCoupling,
    UNet2d,
    VaeConv,
    VaeEngine,
    VaeMlp,
)
from synthspec.spec.evaluation import Features
from synthspec.spec.objective import Adversarial, ElboBeta, LSimple, Nll
from synthspec.spec.privacy import DpNoise, DpSgd, NoMechanism, Pate
from synthspec.spec.sampling import Arrival, Compile, Distill, Quantize, Timebase, TimeFit
from synthspec.spec.sref import Modality
from synthspec.spec.training import Optimizer, Stability, Training
from synthspec.units import parse_quantity

FAMILIES: tuple[Family, ...] = get_args(Family)
MODALITIES: tuple[Modality, ...] = get_args(Modality)

_KEY = Field(name="rid", role="key", dtype="int64")
_LABEL = Field(name="label", role="condition", dtype="categorical", enum=("red", "green", "blue"))


def schema(modality: Modality) -> Schema:
    """A schema of `modality` with little content and, but for timeseries, one categorical condition ``label``."""
    fields: tuple[Field, ...]
    match modality:
        case "tabular":
            width = Field(name="width", role="content", dtype="float32", unit="mm", range=(0.0, 10.0))
            height = Field(name="height", role="content", dtype="float64", unit="mm", range=(-1.0, 1.0))
            fields = (width, height)
        case "image":
            pixels = Field(name="pixels", role="content", dtype="float32", shape=(1, 8, 8), range=(0.0, 16.0))
            fields = (pixels,)
        case "timeseries":
            tau = Field(name="tau_mono", role="time", dtype="float64", unit="s")
            stamp = Field(name="ts", role="time", dtype="timestamp")
            temp = Field(name="temp", role="condition", dtype="float32", unit="degC", range=(-40.0, 85.0))
            power = Field(name="power", role="content", dtype="float32", unit="mW", range=(0.01, 20.0))
            twice = Field(name="twice", role="derived", dtype="float32", unit="mW", expr="2 * power")
            return Schema(modality=modality, fields=(_KEY, tau, stamp, temp, power, twice), pk=("rid",))
        case "audio":
            fields = (Field(name="wave", role="content", dtype="float32", shape=(64,), range=(-1.0, 1.0)),)
        case "text":
            fields = (Field(name="tokens", role="content", dtype="int32", shape=(12,), range=(0.0, 255.0)),)
        case "graph":
            fields = (Field(name="adjacency", role="content", dtype="bool", shape=(5, 5)),)
        case "video":
            film = Field(name="frames", role="content", dtype="uint8", shape=(2, 1, 4, 4), range=(0.0, 255.0))
            fields = (film,)
    return Schema(modality=modality, fields=(_KEY, *fields, _LABEL), pk=("rid",))


def engine(family: Family, modality: Modality) -> KnownEngine:
    """A tiny engine of `family` with the architecture that suits `modality`."""
    grid = modality in ("image", "video")
    match family:
        case "vae":
            conv = VaeConv(name="conv", channels=(8, 16), latent_dim=4, likelihood="gaussian")
            mlp = VaeMlp(name="mlp", hidden=(16,), latent_dim=2, likelihood="gaussian")
            return VaeEngine(family=family, architecture=conv if grid else mlp)
        case "gan":
            maker = GanConv(name="conv", channels=(16, 8), latent_dim=4)
            small = GanMlp(name="mlp", hidden=(16,), latent_dim=2)
            return GanEngine(family=family, architecture=maker if grid else small)
        case "flow":
            spline = SplineCoupling(name="spline_coupling", transforms=2, hidden=(16,))
            return FlowEngine(family=family, architecture=spline)
        case "diffusion":
            unet = UNet2d(name="unet2d", channels=(8, 16), attention=(False, False))
            denoiser = MlpDenoiser(name="mlp", hidden=(16,))
            schedule = CosineSchedule(name="cosine", train_steps=50)
            return DiffusionEngine(family=family, architecture=unet if grid else denoiser, noise_schedule=schedule)


def fit(family: Family, modality: Modality, privacy: Mechanism | None = None) -> Fit:
    """A training of four steps, conditioned on what the schema of `modality` has."""
    objectives: dict[Family, KnownObjective] = {
        "vae": ElboBeta(measure="elbo_beta", beta=1.0),
        "gan": Adversarial(measure="gan"),
        "flow": Nll(measure="nll"),
        "diffusion": LSimple(measure="l_simple", head="eps"),
    }
    bound = schema(modality)
    return Fit(
        schema=bound,
        engine=engine(family, modality),
        objective=objectives[family],
        training=Training(optimizer=Optimizer(name="adam", lr=1e-3), steps=4, batch_size=16, seed=3),
        stability=Stability(),
        privacy=privacy or NoMechanism(mechanism="none"),
        conditions=tuple(field.name for field in bound.with_role("condition")),
        drop_rate=0.1,
    )


def sample(
    of: Fit, *, n: int = 80, block: int = 32, solver: str = "ddim", steps: int = 5, w_cfg: float = 0.0
) -> Sample:
    """`n` records from `of`, its conditions drawn empirically; the solver matters for diffusion only."""
    law = SOLVERS[solver]
    plan = SolverPlan(name=law.name, steps=steps, NFE=evaluations(law, steps, guided=w_cfg > 0))
    return Sample(
        fit=of,
        n=n,
        candidates=n,
        seed=7,
        rng="philox",
        block=block,
        solver=plan if of.engine.family == "diffusion" else None,
        w_cfg=w_cfg,
        variables=tuple((name, _empirical(of.schema.field(name))) for name in of.conditions),
        condition=(),
    )


def _empirical(field: Field) -> Variable:
    return Variable(interface="categorical" if field.enum else "continuous", distribution="empirical")


def made_from(of: Sample) -> tuple[Latency, Replay]:
    """The ops that follow `of`: a few timed requests, and its first block replayed."""
    return Latency(sample=of, requests=5, warmup=2), Replay(sample=of, blocks=(0,))


def catalogue() -> tuple[Op, ...]:
    """Every kind of op, those of engines for every family x modality, and each privacy mechanism once a family."""
    ops: list[Op] = [*_core_ops()]
    for family in FAMILIES:
        for modality in MODALITIES:
            ops.extend(_engine_ops(fit(family, modality)))
        ops.extend(fit(family, "tabular", mechanism) for mechanism in _mechanisms())
    ops.extend(sample(fit("diffusion", "image"), solver=name, w_cfg=0.5) for name in SOLVERS)
    return tuple(ops)


def _engine_ops(of: Fit) -> Iterator[Op]:
    drawn = sample(of)
    yield from (of, drawn, *made_from(drawn), Assess(fit=of, metrics=("nll",), reference="test", seed=1))
    yield Assess(fit=of, metrics=(), reference="test", scored=("train", "val"), seed=1)
    for how in (
        Distill(kind="distill", method="teacher_student", NFE=1),
        Quantize(kind="quantize", dtype="int8"),
        Compile(kind="compile"),
    ):
        yield Accelerate(fit=of, how=how)


def _mechanisms() -> tuple[Mechanism, ...]:
    return DpSgd(mechanism="dp-sgd"), Pate(mechanism="pate"), DpNoise(mechanism="dp-noise")


def _core_ops() -> tuple[Op, ...]:
    bound = schema("tabular")
    window = TimeFit(method="least_squares", window=parse_quantity("600 s"))
    return (
        Bind(source="data.csv", schema=bound),
        Split(rule=RandomSplit(method="random", seed=1, train=0.7, val=0.15, test=0.15)),
        Impute(schema=bound, fill=(("x", "median"),)),
        Statistics(
            schema=bound,
            privacy=DpNoise(mechanism="dp-noise"),
            kind="marginals",
            fields=("width", "height", "label"),
            sigma=1.5,
            records=32,
            seed=3,
        ),
        Enforce(schema=bound, n=8, near_copies=None),
        Refer(schema=bound, references=(), seed=1),
        Export(schema=bound, format="csv"),
        Align(
            schema=schema("timeseries"),
            timebase=Timebase(train_on="tau_mono", publish_on="ts", fit=window),
            timezone="UTC",
            seed=1,
        ),
        Arrive(arrival=Arrival(forms="both", quadrature="simpson"), path="path.csv", columns=(), c_ref0=None),
        Embed(schema=bound, features=Features()),
        Measure(
            schema=bound,
            metrics=("W1",),
            reference="test",
            features=Features(),
            membership_attack=None,
            conditions=("label",),
            w_cfg=None,
            seed=1,
        ),
        Isolate(schema=bound, targets=None, planted=4, seed=1),
        Shadow(number=0, exchanged=False, seed=1),
        Judge(promises=()),
        Emit(licence="CC-BY-4.0"),
    )
