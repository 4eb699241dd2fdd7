"""Section `engine`: a closed union of the four families, each with the architectures that belong to it."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, GetJsonSchemaHandler, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from synthspec.spec.base import Count, Finite, Model, Name, Positive, Share

Widths = Annotated[tuple[Count, ...], Field(min_length=1)]
Likelihood = Literal["discretized_logistic", "bernoulli", "binomial", "categorical", "gaussian", "mixed"]
Family = Literal["vae", "gan", "flow", "diffusion"]
Norm = Annotated[
    Literal["none", "layer", "group", "instance", "batch"],
    Field(description="What normalises activations; `batch` mixes the records of a batch. Left out: the engine's own."),
]


class Unlisted(Model):
    """Stands for a kind that the language does not know, so that a rule can answer by name instead of a type error."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        del schema, handler
        return {"not": {}}


class OtherArchitecture(Unlisted):
    """An architecture that the family does not have (``engine.arch-unknown``)."""

    name: str | None = None


def named(*known: str) -> Discriminator:
    """Choose the alternative by its `name`, or the unlisted one."""

    def choose(value: Any) -> str:  # noqa: ANN401 - pydantic hands over whatever was written
        name = value.get("name") if isinstance(value, dict) else getattr(value, "name", None)
        return name if name in known else "other"

    return Discriminator(choose)


Other = Annotated[OtherArchitecture, Tag("other")]


class VaeMlp(Model):
    name: Literal["mlp"]
    hidden: Widths
    latent_dim: Count
    likelihood: Likelihood
    groups: Annotated[int, Field(ge=1, le=4)] = 1
    norm: Norm | None = None


class VaeConv(Model):
    name: Literal["conv"]
    channels: Widths
    latent_dim: Count
    likelihood: Likelihood
    groups: Annotated[int, Field(ge=1, le=4)] = 1
    norm: Norm | None = None


class GanMlp(Model):
    name: Literal["mlp"]
    hidden: Widths
    latent_dim: Count
    spectral_norm: bool = False
    norm: Norm | None = None
    pac: Count = 1


class GanConv(Model):
    name: Literal["conv"]
    channels: Widths
    latent_dim: Count
    spectral_norm: bool = False
    norm: Norm | None = None
    pac: Count = 1


class ActNorm(Model):
    """A scale and a shift for each dimension, started at the identity or at the moments of the first batch."""

    init: Literal["identity", "data"]


class SplineCoupling(Model):
    name: Literal["spline_coupling"]
    transforms: Count
    hidden: Widths
    bins: Annotated[int, Field(ge=2, le=256)] = 8
    actnorm: ActNorm | None = None


class AffineCoupling(Model):
    name: Literal["affine_coupling"]
    transforms: Count
    hidden: Widths
    actnorm: ActNorm | None = None


class Autoregressive(Model):
    name: Literal["autoregressive"]
    transforms: Count
    hidden: Widths
    bins: Annotated[int, Field(ge=2, le=256)] = 8


class UNet2d(Model):
    name: Literal["unet2d"]
    channels: Widths
    layers_per_block: Annotated[int, Field(ge=1, le=8)] = 1
    attention: tuple[bool, ...] | None = None


class MlpDenoiser(Model):
    name: Literal["mlp"]
    hidden: Widths


class TransformerDenoiser(Model):
    name: Literal["transformer"]
    width: Count
    depth: Count
    heads: Count = 4


ZeroTerminal = Annotated[
    bool,
    Field(
        description="Shift and scale alpha_bar^(1/2) so that the last step holds no signal at all (Lin et al. 2024)."
    ),
]


class LinearSchedule(Model):
    """beta_t linear from `beta_start` to `beta_end`."""

    name: Literal["linear"]
    train_steps: Count
    beta_start: Positive = 1e-4
    beta_end: Share = 0.02
    zero_terminal_snr: ZeroTerminal = False


class ScaledLinearSchedule(Model):
    """sqrt(beta_t) linear between the square roots of its ends."""

    name: Literal["scaled_linear"]
    train_steps: Count
    beta_start: Positive = 8.5e-4
    beta_end: Share = 0.012
    zero_terminal_snr: ZeroTerminal = False


class CosineSchedule(Model):
    """alpha_bar_t = cos^2(((t + 0.008) / 1.008) pi / 2), t in [0, 1] (Nichol and Dhariwal 2021)."""

    name: Literal["cosine"]
    train_steps: Count
    zero_terminal_snr: ZeroTerminal = False


class EdmSchedule(Model):
    """x = x_0 + sigma eps with ln sigma ~ N(`p_mean`, `p_std`^2) in training (Karras et al. 2022, table 1).

    Sampling goes from `sigma_max` to `sigma_min` evenly in sigma^(1/`rho`), then to 0. `sigma_data` is the standard deviation
    of the normalised training data; left out, it is measured.
    """

    name: Literal["edm"]
    sigma_min: Positive = 0.002
    sigma_max: Positive = 80.0
    rho: Positive = 7.0
    p_mean: Finite = -1.2
    p_std: Positive = 1.2
    sigma_data: Positive | None = None


class FlowMatchingSchedule(Model):
    """x = (1 - t) x_0 + t eps with the velocity eps - x_0 as target (Lipman et al. 2023).

    logit t ~ N(`t_mean`, `t_std`^2) in training (Esser et al. 2024). Sampling takes even steps in t from 1 to 0.
    """

    name: Literal["flow_matching"]
    t_mean: Finite = 0.0
    t_std: Positive = 1.0


DiscreteSchedule = LinearSchedule | ScaledLinearSchedule | CosineSchedule
"""Schedules with a table of betas, one for each of their `train_steps`."""
NoiseSchedule = Annotated[
    LinearSchedule | ScaledLinearSchedule | CosineSchedule | EdmSchedule | FlowMatchingSchedule,
    Field(discriminator="name"),
]
VaeArchitecture = Annotated[
    Annotated[VaeMlp, Tag("mlp")] | Annotated[VaeConv, Tag("conv")] | Other, named("mlp", "conv")
]
GanArchitecture = Annotated[
    Annotated[GanMlp, Tag("mlp")] | Annotated[GanConv, Tag("conv")] | Other, named("mlp", "conv")
]
FlowArchitecture = Annotated[
    Annotated[SplineCoupling, Tag("spline_coupling")]
    | Annotated[AffineCoupling, Tag("affine_coupling")]
    | Annotated[Autoregressive, Tag("autoregressive")]
    | Other,
    named("spline_coupling", "affine_coupling", "autoregressive"),
]
DiffusionArchitecture = Annotated[
    Annotated[UNet2d, Tag("unet2d")]
    | Annotated[MlpDenoiser, Tag("mlp")]
    | Annotated[TransformerDenoiser, Tag("transformer")]
    | Other,
    named("unet2d", "mlp", "transformer"),
]


class VaeEngine(Model):
    family: Literal["vae"]
    backend: Name | None = None
    architecture: VaeArchitecture


class GanEngine(Model):
    family: Literal["gan"]
    backend: Name | None = None
    architecture: GanArchitecture


class FlowEngine(Model):
    family: Literal["flow"]
    backend: Name | None = None
    architecture: FlowArchitecture
    base_dist: Literal["normal", "student_t"] = "normal"


class DiffusionEngine(Model):
    family: Literal["diffusion"]
    backend: Name | None = None
    architecture: DiffusionArchitecture
    noise_schedule: NoiseSchedule


Engine = Annotated[VaeEngine | GanEngine | FlowEngine | DiffusionEngine, Field(discriminator="family")]
