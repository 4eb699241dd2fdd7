"""Sections `sampling`, `acceleration`, `timebase`, `arrival`, `release` and `waivers`."""

from typing import Annotated, Literal

from pydantic import Field

from synthspec.spec.base import Count, Duration, Model, Name, NonNegative, Positive, Seed


class Sampling(Model):
    """P405-8: how many records, from which seed and generator, by which solver at which budget of evaluations."""

    n: Annotated[int, Field(ge=1, le=10**10)]
    seed: Seed | None = None
    rng: Literal["philox"] | None = None
    solver: str | None = Field(default=None, examples=["dpmsolver++"])
    NFE: Count | None = None
    tolerance: Annotated[
        Positive | None,
        Field(description="Error of one step of an adaptive solver, in standard deviations; left out, 0.01."),
    ] = None
    block: Annotated[int, Field(ge=1, le=65536)] = 64
    condition: dict[str, str | int | float | bool] = {}


class Keep(Model):
    """P405-10: what an accelerated engine must keep of its teacher, on the same noise; judged as bounds of the contracts."""

    FID_ratio: Annotated[
        float | None, Field(ge=1, allow_inf_nan=False, description="FID over the teacher's; a bound of C40-511.")
    ] = None
    KID_delta: Annotated[NonNegative | None, Field(description="KID less the teacher's; a bound of C40-511.")] = None
    covg_delta: Annotated[
        float | None, Field(ge=-1, le=0, description="covg less the teacher's, from -1 to 0; a bound of C40-515.")
    ] = None


class Distill(Model):
    """P405-10: a faster student of the trained engine; it is evaluated again, and compared with its teacher.

    `data` is what it learns on: what the teacher makes, or the records of the training split. Guidance of the teacher
    becomes part of the student, which is sampled without.
    """

    kind: Literal["distill"]
    method: Literal["consistency", "progressive", "teacher_student"]
    NFE: Count
    steps: Count = 1000
    solver: str | None = None
    data: Literal["train", "synthetic"] = "synthetic"
    keep: Keep | None = None
    reevaluate: bool = True


class Quantize(Model):
    """P405-10: fewer bits a weight, in the file and in what is computed; evaluated again."""

    kind: Literal["quantize"]
    dtype: Literal["int8", "bf16"]
    keep: Keep | None = None
    reevaluate: bool = True


class Compile(Model):
    """P405-10: a compiled graph; evaluated again."""

    kind: Literal["compile"]
    keep: Keep | None = None
    reevaluate: bool = True


Acceleration = Annotated[Distill | Quantize | Compile, Field(discriminator="kind")]


class TimeFit(Model):
    """How offset, skew and J are estimated."""

    method: Literal["least_squares", "theil_sen", "median"]
    window: Duration


class Timebase(Model):
    """P405-5: train and sample on tau_mono, publish on ts."""

    train_on: str
    publish_on: str
    fit: TimeFit


class Arrival(Model):
    """P405-6, S405-7: both forms of T_arr, and how they are integrated."""

    forms: Literal["both", "form1", "form2"]
    quadrature: Literal["gauss_kronrod", "simpson"] | None = None


class NearCopies(Model):
    """S413-2: what happens to a sample that lies too close to a training record."""

    tau_nn: NonNegative
    action: Literal["remove", "resample", "report"]


class Watermark(Model):
    """S413-3: keyed selection among `candidates`."""

    method: Literal["selection"]
    candidates: Annotated[int, Field(ge=2, le=64)] = 2
    alpha: Annotated[float, Field(gt=0, lt=1)] = 1e-6
    key: Name | None = None


ExportName = Literal["croissant", "ml_bom", "ro_crate"]
Provenance = Annotated[
    Literal["embedded", "sidecar", "none"],
    Field(
        description="Where samples say that they are synthetic; default embedded, where the format has a place for it."
    ),
]


class Release(Model):
    """M40-5.8: under which licence, after which screens, in which format, described for which other tools."""

    licence: str | None = None
    near_copies: NearCopies | None = None
    watermark: Watermark | None = None
    format: Literal["parquet", "npz", "csv", "png", "wav", "jsonl"] | None = None
    provenance: Provenance | None = None
    exports: tuple[ExportName, ...] | None = None
    # A century: what is meant to hold for ever leaves it out, and the calendar of a manifest ends.
    max_age_days: Annotated[Positive, Field(le=36525)] | None = None


class Waiver(Model):
    """One accepted exception, with a reason, an approver and an end."""

    id: str
    reason: str | None = None
    approver: str | None = None
    expires: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2027-01-31"])] | None = None
