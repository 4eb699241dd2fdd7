"""What was made and how: App C dataset, engine, generation, privacy, runtime, and the `deep` group of Chapter 5."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from synthspec.ir.manifest_base import Count, Digest, Exact, Group, Parameter, Real, Scalar, Sha256
from synthspec.ir.manifest_schema import SchemaGroup

Share = Annotated[Real, Field(ge=0, le=1)]


class PrivateDataRef(Group):
    """Opens the commitment that the public manifest has of private data. The salt is 256 bits, in hex."""

    salt: Sha256
    commitment: Sha256


class Dataset(Group):
    """App C `dataset`; `n_real` counts the reference data, `n_syn` what was released.

    `cov_schema` and `cov_req` (S403-1) compare names of columns with fields: they say nothing of any record.
    """

    name: str
    tag: str | None = None
    modality: Literal["tabular", "image", "text", "audio", "graph", "timeseries", "video"]
    SRef: str
    sref_hash: Sha256
    n_real: Count
    n_syn: Count
    split: Literal["train", "valid", "test", "release"]
    cov_schema: Share | None = None
    cov_req: Share | None = None
    bound: SchemaGroup | None = Field(alias="schema", default=None)
    """`manifest.synth.schema`: what binding found; only where the manifest is no public one."""
    private: PrivateDataRef | None = None


class EngineRef(Group):
    """App C `engine`. `seed` is left out when it is secret."""

    type: Literal["copula", "glm", "rule", "vae", "gan", "flow", "diffusion", "scm"]
    version: str
    seed: Exact | None = None
    rng: str
    spec_uri: str
    train_data_ref: str


class ConditionVariable(Group):
    """P405-2: one variable of c with its interface, its distribution and the coverage it owes."""

    name: str
    interface: Literal["categorical", "continuous", "text", "mask"]
    distribution: str | Mapping[str, Share]
    coverage_min: Share | None = None


class TimePath(Group):
    """App C `generation.timepath` (P405-5, P405-6), present where the SRef has a time field. Times in seconds."""

    ts_timezone: str
    tau_mono_origin: str
    offset: Real
    skew: Real
    """Deviation from slope 1, in s/s."""
    J: Real
    """rms residual, in seconds."""
    J_p95: Real | None = None
    J_pp: Real | None = None
    u_offset: Real | None = None
    u_skew: Real | None = None
    J_upper: Real | None = None
    """95 % upper bound of J: what J_max is compared with."""
    window: Real | None = None
    method: str | None = None
    strategy: Literal["bias", "slope", "jitter"] | None = None
    leap_seconds: str | None = None
    clock_steps: Count | None = None
    gaps: Count | None = None
    c_ref: Real | None = None
    """In m/s."""
    T_arr_form1: Real | None = None
    T_arr_form2: Real | None = None
    delta_form: Real | None = None
    L_gamma: Real | None = None
    """In m."""


class Generation(Group):
    """App C `generation`: what the samples were drawn under."""

    condition: tuple[ConditionVariable, ...]
    controls: Mapping[str, Scalar]
    schedule: Mapping[str, Parameter]
    timepath: TimePath | None = None


class LedgerRef(Group):
    """What the ledger of the data says with this training: all releases up to it, composed."""

    name: str
    entry: Count
    releases: Count
    """Entries that count, this one included."""
    eps_total: Annotated[Real, Field(ge=0)]
    delta_total: Share


class NoisyVector(Group):
    """One vector of counts of private records that was released with Gaussian noise."""

    name: str
    parts: Count
    """Tables in it: one record moves each of them by at most one, and all of them by sqrt(parts) in L2."""
    size: Count
    """Numbers in it."""
    sigma: Real
    """The standard deviation of its noise, in units of what one record moves it by."""
    commitment: Sha256
    """To the secret seed of its noise."""


class AuditEvidence(Group):
    """What canaries found in the mechanism before it met a record: evidence for the claim, and never the guarantee."""

    eps_claimed: Annotated[Real, Field(ge=0)]
    """What the whole plan would spend at `delta`. An infinite claim is ``"inf"``."""
    delta: Share
    eps_lower_bound: Annotated[Real, Field(ge=0)]
    """With `confidence`, no mechanism with a smaller eps lets so many guesses come true (one-run audit)."""
    confidence: Share
    canaries: Count
    guesses: Count
    correct: Count
    replay_ratio: Real
    """By how much one record moved what is released, in units of what is accounted for."""
    standard_errors: Mapping[str, Real]
    """How far moments of noise, sampler and votes are from what is accounted for."""

    @model_validator(mode="after")
    def _nothing_was_found(self) -> Self:
        if self.eps_lower_bound > self.eps_claimed:
            raise ValueError("an audit that refutes the claim is no evidence for it")
        return self


class DpSpend(Group):
    """App C `privacy.dp`: what the accountant says of the run that happened. An infinite eps_total is ``"inf"``."""

    eps_total: Annotated[Real, Field(ge=0)]
    delta_total: Share
    accounting_method: str
    adjacency: str | None = None
    unit: str | None = None
    noise_multiplier: Real | None = None
    """sigma in units of the clip norm C (S405-8); of teachers, the scale of the noise on each count, in votes."""
    clip_norm: Real | None = None
    sampling_rate: Real | None = None
    steps: Count | None = None
    """Releases that were counted where the noise is added: steps, empty batches included, or queries to teachers."""
    normalizer: Real | None = None
    """The public constant that noisy sums are divided by."""
    teachers: Count | None = None
    """PATE: how many parts the records were divided into."""
    aggregation: Literal["gnmax", "laplace"] | None = None
    """PATE: the law of the noise on the counts of votes."""
    rng: str | None = None
    hardening: str | None = None
    """What is done about the finite precision of the noise."""
    seed_commitment: Sha256 | None = None
    """HMAC-SHA256 of the secret seed under a secret salt: whoever holds both can show which noise it was."""
    statistics: tuple[NoisyVector, ...] | None = None
    """The noisy vectors that were released; None where none were."""
    ledger: LedgerRef | None = None
    """P405-4: this training is one of these releases. `eps_total` above is that of all of them."""
    accesses: Mapping[str, str] | None = None
    """Every way in which the training met private records, with its charge."""
    audit: AuditEvidence | None = None
    """None: the mechanism was not audited before this run."""


class PrivacyGroup(Group):
    """App C `privacy`. `dp` is absent exactly when the mechanism is ``none``."""

    mechanism: Literal["none", "dp-sgd", "pate", "dp-noise"]
    dp: DpSpend | None = None
    attack_suite: tuple[Literal["membership", "linkability", "attribute"], ...]
    MI_risk: Real | None = None

    @model_validator(mode="after")
    def _dp_belongs_to_a_mechanism(self) -> Self:
        if (self.mechanism == "none") != (self.dp is None):
            raise ValueError("dp is stated exactly when there is a mechanism")
        return self


class Runtime(Group):
    """App C `runtime`; every figure is optional, since a training run serves nobody."""

    rho: Real | None = None
    W_q: Real | None = None
    latency_ms_p99: Real | None = None
    drop_rate: Real | None = None
    oom_rate: Real | None = None
    device: str | None = None


class Architecture(Group):
    """The network as the plan states it."""

    name: str
    parameters: Mapping[str, Parameter]
    n_parameters: Count | None = None
    """Trainable numbers of the generator."""


class ObjectiveRef(Group):
    """P405-1: the explicit measure, and the equation of the standard that defines it."""

    measure: Literal["elbo", "elbo_beta", "gan", "wgan_gp", "hinge", "rpgan", "nll", "l_simple"]
    equation: Literal["S405-1", "S405-2", "S405-3", "S405-4", "S405-5"]
    parameters: Mapping[str, Parameter]


class TrainingEvent(Group):
    """Something that interrupted or ended training: a monitor that tripped, a rollback, convergence (P405-3)."""

    step: Count
    event: str
    signal: str | None = None
    detail: str | None = None


class LineageStep(Group):
    """P405-10: one step from an earlier engine to this one, and whether everything was evaluated again after it."""

    operation: Literal["distill", "quantize", "compile", "finetune"]
    parent: Digest
    parameters: Mapping[str, Parameter]
    reevaluated: bool


class Deep(Group):
    """``manifest.synth.deep``: what Chapter 5 asks to persist of a deep generator. Parts of one family are optional."""

    family: Literal["vae", "gan", "flow", "diffusion"]
    architecture: Architecture
    objective: ObjectiveRef
    weights: tuple[Digest, ...]
    training: tuple[TrainingEvent, ...]
    lineage: tuple[LineageStep, ...]
    base_dist: str | None = None
    noise_schedule: Mapping[str, Parameter] | None = None
    solver: str | None = None
    nominal_steps: Count | None = None
    net_calls: Count | None = None
    """Calls of the network, guided halves of one batched call counted once."""
    net_evals_per_sample: Count | None = None
    """NFE as measured: network evaluations per sample."""
    w_cfg: Real | None = None
    cfg_convention: Literal["S405-6"] | None = None
    """S405-6: 0 is plain conditional; diffusers' guidance_scale is 1 + w_cfg."""

    @model_validator(mode="after")
    def _guidance_names_its_scale(self) -> Self:
        if (self.w_cfg is None) != (self.cfg_convention is None):
            raise ValueError("w_cfg and cfg_convention go together")
        return self
