"""Sections `training` and `stability` (P405-3, P405-8, section IX)."""

from typing import Annotated, Literal

from pydantic import Field

from synthspec.spec.base import Count, Finite, Model, NonNegative, Positive, Seed, Sha256


class Optimizer(Model):
    name: Literal["adam", "adamw", "sgd"]
    lr: Annotated[float, Field(gt=0, le=10)]
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] | None = None
    weight_decay: NonNegative | None = None
    momentum: Annotated[float, Field(ge=0, lt=1)] | None = None


class Pretrained(Model):
    """Weights that the training starts from, and what they were trained on."""

    weights: str = Field(
        examples=["encoder.safetensors"], description="A safetensors file; where `run` is stated, one in that folder."
    )
    sha256: Sha256 | None = None
    run: str | None = Field(
        default=None, description="The folder of a finished run, which must verify and have signed these weights."
    )
    provenance: Literal["public", "private"] | None = None
    id: str | None = Field(default=None, description="What they were trained on, by a name that others know.")

    @property
    def path(self) -> str:
        """Where the file of weights lies, as seen from the spec."""
        return self.weights if self.run is None else f"{self.run}/{self.weights}"


class Training(Model):
    """How the weights are fitted. Either `epochs` or `steps`; under a privacy mechanism the steps are the privacy block's."""

    epochs: Count | None = None
    steps: Count | None = None
    batch_size: Count | None = None
    optimizer: Optimizer
    precision: Literal["fp32", "bf16"] = "fp32"
    ema: Annotated[float, Field(ge=0, lt=1)] | None = None
    grad_clip: Positive | None = None
    seed: Seed | None = None
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    init_from: Pretrained | None = None
    on_divergence: Literal["stop", "restart"] = "stop"
    max_attempts: Count | None = Field(
        default=None, description="How often a training that restarts is begun in all; each time from the next seed."
    )


Action = Literal["skip", "scale_lr", "rollback", "stop", "raise_free_bits"]


class Monitor(Model):
    """Watches one signal; acts when `trip` is true for `window` observations in a row.

    After a firing its next `cooldown` observations do not count. When it has fired `max_fires` times, `then` takes the place
    of `action`: nothing is answered without end.
    """

    signal: str
    trip: str
    window: Count = 1
    action: Action
    cooldown: Annotated[int, Field(ge=0, le=10**12)] = 0
    max_fires: Count | None = Field(
        default=None,
        description="How often `action` is taken before `then` takes its place. Left out: 20, or one in a hundred "
        "steps of the training where that is more.",
    )
    then: Literal["rollback", "stop"] = "stop"


class Convergence(Model):
    """When training is done: no improvement of `signal` by `min_delta` for `patience` observations, or the budget."""

    signal: str
    patience: Count | None = None
    min_delta: NonNegative = 0.0
    max: Literal["budget"] | Finite | None = None


class Rollback(Model):
    """Where a rollback goes, and how often it may."""

    to: Literal["best", "last"]
    lr_factor: Annotated[float, Field(gt=0, le=1)] = 0.5
    max_rollbacks: Annotated[int, Field(ge=0, le=1000)]


class Stability(Model):
    """P405-3: monitors, convergence and rollback are declared before training."""

    monitors: tuple[Monitor, ...] = ()
    convergence: Convergence | None = None
    rollback: Rollback | None = None
