"""Section `privacy`: the mechanism, or the stated choice of none (P405-4, S405-8)."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from synthspec.spec.base import Count, Model, Name, NonNegative, Positive, Share
from synthspec.spec.engine import Unlisted

Adjacency = Literal["zero_out", "add_remove", "replace_one"]


class DatasetSize(Model):
    """Whether the number of records is public, and which it is."""

    public: bool
    value: Count | None = None

    @property
    def told(self) -> int | None:
        """The number, where it is public."""
        return self.value if self.public else None


class PrivateSampling(Model):
    """How the records of a step are drawn; the accountant must know the same scheme."""

    scheme: Literal["poisson", "shuffle", "fixed", "without_replacement", "weighted"]
    rate: Annotated[float, Field(gt=0, le=1)] | None = None
    on_empty: Literal["noise_only", "skip", "resample"] | None = None
    by: Name | None = None


class Clip(Model):
    """S405-8: g_i is clipped to `norm` (C)."""

    norm: float | Literal["auto"]
    per: Literal["record", "entity", "batch"]
    scope: Literal["flat", "per_layer"]
    nonfinite: Literal["zero"] = "zero"


class Noise(Model):
    """S405-8: `multiplier` is sigma in units of C, added to the sum of clipped gradients."""

    multiplier: float | Literal["auto"]
    rng: Literal["secret_csprng"] = "secret_csprng"
    dtype: Literal["float32", "float64"] = "float64"
    seed: int | None = None
    per: Literal["step", "microbatch"] = "step"


class Multiplicity(Model):
    """`k` noise draws or augmentations of each record, averaged before its one clip (``after``)."""

    k: Count
    clip: Literal["after", "each"] = "after"


class PublicNormalizer(Model):
    public_constant: Positive


class Accountant(Model):
    kind: str
    neighbours: Adjacency | None = None


class ConditionHistogram(Model):
    """Noisy counts of the conditions, released beside the gradients and charged like them.

    `multiplier` is sigma in units of what one record adds to the counts.
    """

    multiplier: Positive


class NoisyImputation(Model):
    """Noisy counts of the values that there are, of which means, medians and modes for gaps are made (`data.impute`).

    `multiplier` is sigma in units of what one record moves the counts of all such fields by.
    """

    multiplier: Positive


class NoMechanism(Model):
    """A stated choice, never an omission."""

    mechanism: Literal["none"]


class DpSgd(Model):
    """The block of a differentially private training. What is left out is answered by a rule of P405-4."""

    mechanism: Literal["dp-sgd"]
    unit: Name | None = None
    max_contributions: Count | None = None
    adjacency: Adjacency | None = None
    dataset_size: DatasetSize | None = None
    sampling: PrivateSampling | None = None
    steps: Count | None = None
    clip: Clip | None = None
    noise: Noise | None = None
    normalizer: float | str | PublicNormalizer | None = None
    accountant: str | Accountant | None = None
    eps_budget: NonNegative | None = None
    delta: Share | None = None
    bounds: Literal["sref", "data"] | None = None
    ledger: Name | None = None
    multiplicity: Count | Multiplicity = 1
    condition_histogram: ConditionHistogram | None = None
    imputation: NoisyImputation | None = None


class Pate(Model):
    """Private aggregation of teacher ensembles: the teachers' records are disjoint, their number a public constant."""

    mechanism: Literal["pate"]
    unit: Name | None = None
    adjacency: Adjacency | None = None
    teachers: Count | str | None = None
    partition: Literal["disjoint", "overlapping"] = "disjoint"
    aggregation: Literal["gnmax", "laplace"] | None = None
    noise: Noise | None = None
    queries: Count | None = None
    report: Literal["data_independent", "data_dependent"] = "data_independent"
    eps_budget: NonNegative | None = None
    delta: Share | None = None
    accountant: str | Accountant | None = None
    ledger: Name | None = None


class DpNoise(Model):
    """Noise on declared statistics. Their sensitivity follows from the bounds of the SRef and the adjacency.

    The engine is trained on `records` that are drawn from what was released: as many as the public `dataset_size` where
    that is stated.
    """

    mechanism: Literal["dp-noise"]
    unit: Name | None = None
    adjacency: Adjacency | None = None
    dataset_size: DatasetSize | None = None
    records: Count | None = None
    statistics: tuple[str, ...] = Field(default=(), examples=[["marginals"]])
    sensitivity: Literal["derived"] | float = "derived"
    eps_budget: NonNegative | None = None
    delta: Share | None = None
    bounds: Literal["sref", "data"] | None = None
    accountant: str | Accountant | None = None
    ledger: Name | None = None


class UnstatedMechanism(Unlisted):
    """A privacy section without a mechanism (``P405-4.mechanism-unstated``)."""

    mechanism: None = None


def _choose(value: Any) -> str | None:  # noqa: ANN401 - pydantic hands over whatever was written
    mechanism = value.get("mechanism") if isinstance(value, dict) else getattr(value, "mechanism", None)
    return mechanism if isinstance(mechanism, str) else "unstated"


Privacy = Annotated[
    Annotated[NoMechanism, Tag("none")]
    | Annotated[DpSgd, Tag("dp-sgd")]
    | Annotated[Pate, Tag("pate")]
    | Annotated[DpNoise, Tag("dp-noise")]
    | Annotated[UnstatedMechanism, Tag("unstated")],
    Discriminator(_choose),
    Field(description="P405-4: the mechanism with its budget, or `mechanism: none` as a stated choice."),
]
