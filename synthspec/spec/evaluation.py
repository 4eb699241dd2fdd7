"""Sections `evaluation` and `contracts` (P405-9, section VI)."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from synthspec.spec.base import Decibel, Duration, Finite, Model, NonNegative, Sha256, Share

SplitName = Literal["train", "val", "test"]


def _on_the_scale(value: object) -> object:
    """Other standards count severities otherwise (reference 10.5); ours says how much a broken contract stops."""
    if value in ("info", "warn", "block"):
        return value
    says = f"{value!r} is no severity of a contract"
    raise PydanticCustomError("C40.severity", "{says}", {"says": says, "help": "write info, warn, or block"})


MetricName = Literal[
    "FID", "KID", "FVD", "precision", "recall", "density", "covg", "mode_drop", "condition_accuracy",
    "W1", "MMD", "sliced_W2", "PSI", "detection_AUC", "TSTR", "TRTR", "ACF", "PSD", "memorisation", "MI",
    "elbo", "iwae", "posterior_collapse_rate", "recon_PSNR", "nll", "bpd", "inv_error", "latency_ms_p99",
]  # fmt: skip
"""The metrics of the standard. One that the records do not allow comes out as a figure without a value that says why."""
Severity = Annotated[Literal["info", "warn", "block"], BeforeValidator(_on_the_scale)]


FeatureName = Literal["embedded", "inception", "dinov2-vits14", "dinov2-vitb14", "dinov2-vitl14", "module"]


class Features(Model):
    """P412-1: the frozen feature extractor.

    `embedded` is the one shipped for the modality. The others are safetensors files with a digest: of the FID Inception, of
    a DINOv2 transformer, or of a `module`, a network of one's own that an installed distribution offers.
    """

    name: FeatureName = "embedded"
    weights: str | None = None
    sha256: Sha256 | None = None
    entry: str | None = Field(
        default=None, description="Of a module: the name of its entry point in the group synthspec.features."
    )
    provenance: Literal["public", "private"] | None = Field(
        default=None, description="Whether the weights were trained on public data; stated under a mechanism."
    )
    id: str | None = Field(default=None, description="What they were trained on, by a name that others know.")

    @property
    def label(self) -> str:
        """What the names of figures call it."""
        return self.entry or self.name


class MembershipAttack(Model):
    """Which splits play members and non-members, and what an attacker has whom MI covers."""

    members: SplitName
    non_members: SplitName
    knows: Annotated[
        Literal["samples", "engine"],
        Field(
            description="What the attacker has: the samples alone, or the weights, too. Where weights are handed out, "
            "write engine: what the engine tells is measured beside MI anyway, and is part of it then."
        ),
    ] = "samples"


class Evaluation(Model):
    """P405-9: what is measured, on which split, with which features, and who may read it."""

    reference: SplitName | None = None
    features: Features = Features()
    metrics: tuple[MetricName, ...] = ()
    target: Annotated[
        str | None,
        Field(
            description="The content field that TSTR and TRTR predict from the others; without one, the condition class."
        ),
    ] = None
    membership_attack: MembershipAttack | None = None
    disclosure: Literal["public", "restricted"] = "public"
    replay_share: Annotated[float, Field(gt=0, le=1)] | None = None
    """C40-519: the share of the sampling blocks that are drawn again, in a fresh process; left out, one block."""


class _Contract(Model):
    severity: Severity = "block"
    action_plan: str | None = None
    tol_source: Literal["stated", "calibrated"] = "stated"


class C40511(_Contract):
    """Fidelity."""

    tol_FID: NonNegative | None = None
    tol_KID: Finite | None = None
    recall_min: Share | None = None
    tol_W1: NonNegative | None = None
    tol_MMD: NonNegative | None = None
    tol_SW2: NonNegative | None = None
    tol_PSI: NonNegative | None = None
    tol_detection_AUC: Share | None = None
    tol_ACF: NonNegative | None = None
    tol_PSD: Decibel | None = None
    tol_FVD: NonNegative | None = None
    precision_min: Share | None = None
    density_min: NonNegative | None = None
    TSTR_min: Annotated[float, Field(le=1, allow_inf_nan=False)] | None = None
    tol_memorisation: Share | None = None


class C40512(_Contract):
    """Likelihood and invertibility of flows."""

    tol_bpd: Finite | None = None
    tol_inv: NonNegative | None = None


class C40513(_Contract):
    """Calibration of VAEs."""

    tol_collapse: Share | None = None
    psnr_min: Decibel | None = None


class C40514(_Contract):
    """Latency of diffusion."""

    NFE_max: NonNegative | None = None
    SLO_latency: Duration | None = None
    cfg_max: NonNegative | None = None


class C40515(_Contract):
    """Coverage of the distribution."""

    covg_min: Share | None = None
    tol_mode_drop: Share | None = None


class C40516(_Contract):
    """Privacy. `publish` says what the public manifest tells of MI; under a mechanism that is the verdict alone."""

    eps_budget: NonNegative | None = None
    delta_budget: Share | None = None
    mi_max: Share | None = None
    publish: Literal["verdict", "mi_value"] | None = None


class C40517(_Contract):
    """Time and arrival."""

    J_max: Duration | None = None
    tol_Tarr: Duration | None = None


class C40518(_Contract):
    """Dimensions: every check_dim(expr) holds. It has no number to choose."""


class C40519(_Contract):
    """Reproducibility: seed, rng, solver and NFE persisted and replayable. It has no number to choose."""


class Contracts(Model):
    """C40-5xx: the promises with their numbers. There are no default thresholds."""

    c40_511: C40511 | None = Field(default=None, alias="C40-511")
    c40_512: C40512 | None = Field(default=None, alias="C40-512")
    c40_513: C40513 | None = Field(default=None, alias="C40-513")
    c40_514: C40514 | None = Field(default=None, alias="C40-514")
    c40_515: C40515 | None = Field(default=None, alias="C40-515")
    c40_516: C40516 | None = Field(default=None, alias="C40-516")
    c40_517: C40517 | None = Field(default=None, alias="C40-517")
    c40_518: C40518 | None = Field(default=None, alias="C40-518")
    c40_519: C40519 | None = Field(default=None, alias="C40-519")


Contract = C40511 | C40512 | C40513 | C40514 | C40515 | C40516 | C40517 | C40518 | C40519


def declared(contracts: Contracts) -> dict[str, Contract]:
    """The contracts that are written, by their id in the standard's order."""
    entries = ((info.alias or name, getattr(contracts, name)) for name, info in Contracts.model_fields.items())
    return {alias: contract for alias, contract in entries if contract is not None}
