"""The typed operations of a run and the graph they form.

An op holds everything that determines its result except its inputs: two ops that are equal, on equal inputs, in one
environment, give the same bytes. It holds nothing else: renaming a spec or changing a threshold retrains nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from synthspec.ir.canonical import digest
from synthspec.ir.schema import Field, Schema
from synthspec.ir.solvers import SolverPlan
from synthspec.ir.verdict import Promise
from synthspec.spec.conditioning import GuidanceSchedule, Variable
from synthspec.spec.data import ColumnSplit, Constant, HashSplit, RandomSplit, Statistic, TimeSplit
from synthspec.spec.engine import DiffusionEngine, FlowEngine, GanEngine, VaeEngine
from synthspec.spec.evaluation import Features, MembershipAttack, SplitName
from synthspec.spec.objective import Adversarial, Elbo, ElboBeta, Hinge, LSimple, Nll, Relativistic, WganGp
from synthspec.spec.privacy import DpNoise, DpSgd, NoMechanism, Pate
from synthspec.spec.sampling import Arrival, Compile, Distill, NearCopies, Quantize, Timebase
from synthspec.spec.sref import Policies
from synthspec.spec.training import Stability, Training

KnownObjective = Elbo | ElboBeta | Adversarial | WganGp | Hinge | Relativistic | Nll | LSimple
KnownEngine = VaeEngine | GanEngine | FlowEngine | DiffusionEngine
SplitRule = HashSplit | RandomSplit | TimeSplit | ColumnSplit
Mechanism = NoMechanism | DpSgd | Pate | DpNoise


@dataclass(frozen=True, slots=True, kw_only=True)
class Referred:
    """P403-2: the key `column` of another table, in the file `source`, which `field` points to."""

    field: str
    table: str
    column: str
    source: str
    sha256: str = ""
    """What the file must digest to; the run writes it in."""
    fan_out: Literal["train", "uniform"] = "train"
    """How a made record gets a key: as many records a key as in training, or any key with the same chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """M40-5.2: read the source and bind it to the schema. Makes ``data.safetensors``, ``schema_report.json``.

    Where the schema has foreign keys, ``references.safetensors`` too: the keys that there are to point to.
    """

    op: Literal["bind"] = "bind"
    version: int = 1
    source: str
    sha256: str = ""
    """What the source must digest to, when the spec or the plan pins it."""
    schema: Schema
    policy: Policies | None = None
    """What becomes of records that the fields do not allow as they are; None refuses them."""
    references: tuple[Referred, ...] = ()
    filled: tuple[str, ...] = ()
    """Fields that may lack a value here, and lack none after `Impute`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """P405-9: which rows are train, val and test. In: data. Makes ``split.safetensors``."""

    op: Literal["split"] = "split"
    version: int = 1
    rule: SplitRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Impute:
    """Fill what is missing by statistics of the training split, or by constants.

    In: data, split; under a mechanism fill, noisy statistics of `Statistics`. Makes ``data.safetensors``, ``impute.json``.
    """

    op: Literal["impute"] = "impute"
    version: int = 1
    schema: Schema
    fill: tuple[tuple[str, Statistic | Constant], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """P405-4: sum the train rows under noise, once, and draw records from what was released.

    In: data, split. Makes ``data.safetensors`` and ``split.safetensors`` of drawn records, which is all that an engine
    sees of the data, ``statistics.safetensors`` (the released vectors) and ``privacy.json``; with `fill` ``fill.json``, and of
    the kind ``imputation`` no records.
    """

    op: Literal["statistics"] = "statistics"
    version: int = 1
    schema: Schema
    privacy: DpNoise | DpSgd
    kind: Literal["marginals", "mean_embedding", "condition_histogram", "imputation"]
    fields: tuple[str, ...]
    """The fields that are counted or embedded, and drawn."""
    target: str = ""
    """The field that the others are to predict: a parent of all of them, or what embeddings are told apart by."""
    sigma: float
    """Of one Gaussian release whose guarantee all of them together have; 0 where it could not be solved here."""
    records: int
    """Records that are drawn for training; an eighth as many more are drawn for its validation."""
    seed: int
    """Of the drawing: what is released says all, so this is public."""
    fill: tuple[tuple[str, Statistic | Constant], ...] = ()
    """What `Impute` fills by noisy counts of these records, with its constants; empty where it takes none."""
    fill_sigma: float = 0.0
    """Of the counts that gaps are filled by, in units of what one record moves them by; 0 without any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """M40-5.3: train the engine. In: data, split. Makes ``weights/*.safetensors``, ``training.jsonl``, ``fit.json``."""

    op: Literal["fit"] = "fit"
    version: int = 1
    schema: Schema
    engine: KnownEngine
    objective: KnownObjective
    training: Training
    stability: Stability
    privacy: Mechanism
    conditions: tuple[str, ...]
    drop_rate: float


Acceleration = Distill | Quantize | Compile


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerate:
    """P405-10: make a faster engine of a trained one.

    In: engine, data, split. Makes what `Fit` makes; the records that a student learns on are those of ``data`` or the
    teacher's own.
    """

    op: Literal["accelerate"] = "accelerate"
    version: int = 2
    fit: Fit
    how: Acceleration
    after: tuple[Acceleration, ...] = ()
    """What made the engine that this starts from, in order; empty for the trained one."""
    solver: SolverPlan | None = None
    """How the engine that this starts from is sampled: the teacher of a distillation."""
    w_cfg: float = 0.0
    guidance: GuidanceSchedule | None = None
    variables: tuple[tuple[str, Variable], ...] = ()
    """The laws of the conditions that a teacher is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """M40-5.5: draw `candidates` records in blocks of `block`.

    In: engine, data, split. Makes ``data.safetensors``, ``sample.json``.
    Block b of the result depends on (seed, b) alone: the same bytes whatever the number of workers.
    """

    op: Literal["sample"] = "sample"
    version: int = 1
    fit: Fit
    n: int
    candidates: int
    """n, plus a reserve for records that `Enforce` may turn down; the first so many, where it asks for more."""
    seed: int
    rng: Literal["philox"]
    block: int
    solver: SolverPlan | None
    w_cfg: float
    variables: tuple[tuple[str, Variable], ...]
    condition: tuple[tuple[str, str | int | float | bool], ...]
    """Conditions held fixed for every record."""
    guidance: GuidanceSchedule | None = None
    """How w_cfg changes along the way; None is constant."""
    made_by: tuple[Acceleration, ...] = ()
    """What made the engine of the trained one, in order: a student is sampled otherwise than its teacher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforce:
    """M40-5.6: recompute derived fields, project, check rules, screen near copies, keep the first n that pass.

    In: samples, data, split. Makes ``data.safetensors``, ``enforce.json``; or says how many candidates it takes.
    """

    op: Literal["enforce"] = "enforce"
    version: int = 2
    schema: Schema
    n: int
    near_copies: NearCopies | None
    most: int = 0
    """So many candidates may be drawn for the n, over all attempts; no more than there are where they are as many."""
    max_cost: float | None = None
    """How far a record may be moved to keep the rules, as a share of each field's range; None moves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """M40-5.8, S413-3: of each `candidates` records keep the one that scores highest under the secret key called `key`.

    In: samples. Makes ``data.safetensors``, ``mark.json``. Which key it is, is read from outside the plan, by its digest.
    """

    op: Literal["mark"] = "mark"
    version: int = 1
    schema: Schema
    candidates: int
    alpha: float
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What samples say of themselves, wherever they end up: that they are synthetic, and of which release."""

    stream: str
    version: str
    records: str = ""
    """Digest of the operations that made them (`records_digest`); empty under a mechanism, which may pin private data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """M40-5.8: the kept records as people take them away.

    In: samples. Makes ``samples.npz`` and ``samples.png`` of pictures, else the one file ``samples.<format>``.
    """

    op: Literal["export"] = "export"
    version: int = 1
    schema: Schema
    format: Literal["npz", "csv", "parquet", "jsonl"]
    origin: Origin | None = None
    """None: the samples do not say where they are from."""
    sidecar: bool = False
    """Whether `origin` goes into ``samples.provenance.json`` instead of the files that have a place for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refer:
    """P403-2: give every kept record a key of each table that the schema refers to.

    In: samples, data, split. Makes ``data.safetensors``, ``refer.json``.
    """

    op: Literal["refer"] = "refer"
    version: int = 1
    schema: Schema
    references: tuple[Referred, ...]
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Align:
    """P405-5: fit offset, skew and J on tau_mono, give every kept record a place in time, publish it on ts.

    In: samples, data, split. Makes ``data.safetensors``, ``align.json``, ``figures.json``.
    """

    op: Literal["align"] = "align"
    version: int = 1
    schema: Schema
    timebase: Timebase
    timezone: str
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrive:
    """P405-6, S405-7: both forms of T_arr on the path. No input. Makes ``arrive.json``, ``figures.json``."""

    op: Literal["arrive"] = "arrive"
    version: int = 1
    arrival: Arrival
    path: str
    sha256: str = ""
    """What the table of the path must digest to; the run writes it in."""
    columns: tuple[Field, ...]
    """The columns of the table, with their units and ranges."""
    c_ref0: float | None
    """In m/s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """C40-514: time `requests` single-record requests after `warmup`.

    In: engine, data, split. Makes ``latency.safetensors``, ``latency.json``.
    """

    op: Literal["latency"] = "latency"
    version: int = 1
    sample: Sample
    requests: int
    warmup: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """C40-519: draw `blocks` of the sample again and compare. In: engine, data, split, samples. Makes ``replay.json``."""

    op: Literal["replay"] = "replay"
    version: int = 1
    sample: Sample
    blocks: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assess:
    """M40-5.7: figures that only the engine itself can give: likelihoods, bounds, invertibility, reconstruction.

    In: engine, data, split; under dp-noise ``drawn``, the records that the engine was trained on. Makes ``figures.json``, and
    where splits are `scored`, ``scores.safetensors``: how likely the engine takes single records of them to be. A backend
    whose engines say nothing of single records leaves it out.
    """

    op: Literal["assess"] = "assess"
    version: int = 1
    fit: Fit
    metrics: tuple[str, ...]
    reference: SplitName
    scored: tuple[SplitName, ...] = ()
    """The splits whose records the membership attack looks at."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Embed:
    """P412-1: features of real and synthetic content under weights that the user brings.

    In: data, samples. Makes ``features.safetensors``.
    """

    op: Literal["embed"] = "embed"
    version: int = 2
    schema: Schema
    features: Features
    module: str = ""
    """What offers the network of a module: the distribution, its version, and where in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """M40-5.7: all figures. In: data, split, samples and what was timed and replayed. Makes ``figures.json``."""

    op: Literal["measure"] = "measure"
    version: int = 2
    schema: Schema
    metrics: tuple[str, ...]
    reference: SplitName
    features: Features
    membership_attack: MembershipAttack | None
    conditions: tuple[str, ...]
    target: str = ""
    """The content field that TSTR and TRTR predict; empty for the condition class."""
    w_cfg: float | None
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """P405-10: an accelerated engine beside the one it was made from, record by record from the same noise.

    In: data, split, samples and figures of the accelerated engine (``samples``, ``measured``), and for each engine before it
    its figures, by its id; ``teacher`` and ``teacher_samples`` are those of the trained one. Makes ``figures.json``.
    """

    op: Literal["compare"] = "compare"
    version: int = 2
    measure: Measure
    pairs: int
    """The first so many candidates of both engines are compared: before any of them is turned down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolate:
    """C40-516: the records of the training split that shadow engines are asked about, and canaries planted beside them.

    In: data, split. Makes ``data.safetensors``, which ends with the canaries, ``split.safetensors``, whose train rows are those
    that are asked about, and ``isolate.json``.
    """

    op: Literal["isolate"] = "isolate"
    version: int = 1
    schema: Schema
    targets: int | None
    """How many of the most isolated records; None: 1 % of them, or as many as rates need, up to a quarter."""
    planted: int
    """Canaries: records that lie anywhere the schema allows."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """C40-516: the training data of one shadow engine: the rows of a fair coin each, or in every second the others.

    In: data (of `Isolate`), split. Makes ``data.safetensors`` and ``split.safetensors`` of the rows that are learned, with val
    as it is and no test.
    """

    op: Literal["shadow"] = "shadow"
    version: int = 1
    number: int
    """2j and 2j + 1 share their coins, and have every record once."""
    exchanged: bool
    """Whether one coin chooses between two records, so that a coin changes no size: what replace_one compares."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Section VI: the contracts with their numbers. In: evidence. Done by the judge stage."""

    op: Literal["judge"] = "judge"
    version: int = 1
    promises: tuple[Promise, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Emit:
    """M40-5.8: the manifest. In: everything. Done by the sign stage."""

    op: Literal["emit"] = "emit"
    version: int = 1
    licence: str


Op = (
    Bind | Split | Impute | Statistics | Fit | Accelerate | Sample | Enforce | Mark | Refer | Export | Align | Arrive
    | Latency | Replay | Assess | Embed | Measure | Compare | Isolate | Shadow | Judge | Emit
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One input: the port of the op and the node that feeds it."""

    port: str
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpNode:
    """An op in its place."""

    id: str
    op: Op
    inputs: tuple[Edge, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpGraph:
    """What a spec means, before anyone has said who computes it."""

    nodes: tuple[OpNode, ...]


def records_digest(nodes: Iterable[OpNode]) -> str:
    """What records are known by before they are made: the digest of the operations that lead to them, in order."""
    return digest("synthspec.records.v1", [[node.id, node.op, node.inputs] for node in nodes])
