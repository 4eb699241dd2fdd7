"""Section `conditioning`: the variables of c, and guidance (P405-2, S405-6)."""

from typing import Annotated, Literal

from pydantic import Field

from synthspec.spec.base import Count, Model, NonNegative, Share


class Variable(Model):
    """One variable of c: its interface, its distribution at sampling, the coverage it owes."""

    interface: Literal["categorical", "continuous", "text", "mask"]
    distribution: Literal["empirical", "uniform"] | dict[str, Share]
    coverage_min: Share | None = None


class IntervalGuidance(Model):
    """w_cfg(t) is w_cfg for `low` <= t <= `high` and 0 elsewhere (Kynkaanniemi et al. 2024); t is 1 where sampling starts."""

    name: Literal["interval"]
    low: Share
    high: Share


class LinearGuidance(Model):
    """w_cfg(t) goes from `start` w_cfg at t = 1, where sampling starts, to `end` w_cfg at t = 0."""

    name: Literal["linear"]
    start: Share
    end: Share


GuidanceSchedule = Annotated[
    IntervalGuidance | LinearGuidance,
    Field(
        discriminator="name",
        description="w_cfg(t), t the share of the solver's steps that are still ahead; left out, constant.",
    ),
]


class Guidance(Model):
    """Classifier-free guidance on the S405-6 scale: ``w_cfg`` 0 is plain conditional, and is one evaluation."""

    w_cfg: NonNegative
    cfg_max: NonNegative
    drop_rate: Annotated[float, Field(ge=0, lt=1)] = 0.0
    schedule: GuidanceSchedule | None = None


class Rejection(Model):
    """The cap on rejection sampling: attempts per accepted record."""

    max_attempts: Count | None = None


class Projection(Model):
    """The cap on moving a sample onto the constraints, as a share of each field's range."""

    max_cost: Share


class Conditioning(Model):
    """P405-2: distribution, interface and coverage of the condition variables are registered."""

    variables: dict[str, Variable] = {}
    guidance: Guidance | None = None
    rejection: Rejection | None = None
    projection: Projection | None = None
