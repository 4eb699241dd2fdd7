"""Section `objective`: the explicit measure that is trained on (P405-1, S405-1..4)."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from synthspec.spec.base import Count, Finite, Model, NonNegative, Positive
from synthspec.spec.engine import Unlisted

MEASURES = ("elbo", "elbo_beta", "gan", "wgan_gp", "hinge", "rpgan", "nll", "l_simple")
Augmentation = Literal["translate", "cutout", "brightness", "contrast", "flip"]
GeneratorTerm = Literal["feature_matching", "identifiability"]
"""What a generator may minimise beside the adversarial loss. Both compare its records with real ones."""
TrainingBySampling = Annotated[
    Literal["none", "log_frequency"],
    Field(
        description="By which law records are drawn in training: all alike, or by a member of one discrete field, the "
        "member by the logarithm of its count, and both networks are told it (Xu et al. 2019). Tables only; refused under "
        "a mechanism.",
    ),
]


class Annealing(Model):
    """The schedule of beta over the first `epochs`."""

    name: Literal["linear", "cyclical"]
    epochs: Count
    cycles: Count = 1


class Elbo(Model):
    """S405-1 with beta 1."""

    measure: Literal["elbo"]
    annealing: Annealing | None = None
    free_bits: NonNegative = 0.0


class ElboBeta(Model):
    """S405-1, ELBO_beta. `free_bits` in nat per latent dimension, on the batch mean."""

    measure: Literal["elbo_beta"]
    beta: float | None = None
    annealing: Annealing | None = None
    free_bits: NonNegative = 0.0


class Adversarial(Model):
    """S405-2 in its non-saturating form."""

    measure: Literal["gan"]
    critic_steps: Count = 1
    augmentation: tuple[Augmentation, ...] = ()
    generator_terms: tuple[GeneratorTerm, ...] = ()
    training_by_sampling: TrainingBySampling = "none"


class WganGp(Model):
    """S405-2, Wasserstein with gradient penalty; the penalty is added to the minimised critic loss.

    `penalty_per` says whether it stands in the loss of each record, before its clip, or is one number of the batch.
    """

    measure: Literal["wgan_gp"]
    lambda_gp: Positive
    critic_steps: Count = 5
    penalty_per: Literal["record", "batch"] = "record"
    augmentation: tuple[Augmentation, ...] = ()
    generator_terms: tuple[GeneratorTerm, ...] = ()
    training_by_sampling: TrainingBySampling = "none"


class Hinge(Model):
    """The hinge form of S405-2, with spectral norm on the critic."""

    measure: Literal["hinge"]
    critic_steps: Count = 1
    augmentation: tuple[Augmentation, ...] = ()
    generator_terms: tuple[GeneratorTerm, ...] = ()
    training_by_sampling: TrainingBySampling = "none"


class Relativistic(Model):
    """S405-2 with each record paired with one of the other kind, and zero-centred penalties (Huang et al. 2024).

    The critic minimises softplus(f(G(z)) - f(x)) + r1 |grad f(x)|^2 / 2 + r2 |grad f(G(z))|^2 / 2, the generator
    softplus(f(x) - f(G(z))): it sees the scores of real records. Under dp-sgd it sees none: the offset of the critic's
    scores is moved, by its clipped and noised gradients, to where those of real records lie around 0, and 0 stands for f(x).
    """

    measure: Literal["rpgan"]
    r1: NonNegative
    r2: NonNegative
    critic_steps: Count = 1
    augmentation: tuple[Augmentation, ...] = ()
    generator_terms: tuple[GeneratorTerm, ...] = ()
    training_by_sampling: TrainingBySampling = "none"


class Nll(Model):
    """S405-3: negative log-likelihood through an invertible map."""

    measure: Literal["nll"]


class MinSnr(Model):
    """min(SNR, `gamma`) on the error of x_0 (Hang et al. 2023): over SNR for eps, over SNR + 1 for v."""

    name: Literal["min_snr"]
    gamma: Positive = 5.0


class EdmWeighting(Model):
    """SNR + 1 / sigma_data^2 on the error of x_0 (Karras et al. 2022)."""

    name: Literal["edm"]


class SigmoidWeighting(Model):
    """sigmoid(`bias` - ln SNR) on the error of eps (Hoogeboom et al. 2024)."""

    name: Literal["sigmoid"]
    bias: Finite = 0.0


Weighting = Annotated[
    MinSnr | EdmWeighting | SigmoidWeighting,
    Field(discriminator="name", description="How noise levels count; left out, all alike on the error of the head."),
]


class LSimple(Model):
    """S405-4: the mean squared error of the chosen head, times the weight of its noise level."""

    measure: Literal["l_simple"]
    head: Literal["eps", "x0", "v"] = "eps"
    weighting: Weighting | None = None


class OtherObjective(Unlisted):
    """No measure, or none that the standard knows (``P405-1.measure-missing``, ``P405-1.heuristic-only``)."""

    measure: str | None = None


def _choose(value: Any) -> str:  # noqa: ANN401 - pydantic hands over whatever was written
    measure = value.get("measure") if isinstance(value, dict) else getattr(value, "measure", None)
    return measure if measure in MEASURES else "other"


Objective = Annotated[
    Annotated[Elbo, Tag("elbo")]
    | Annotated[ElboBeta, Tag("elbo_beta")]
    | Annotated[Adversarial, Tag("gan")]
    | Annotated[WganGp, Tag("wgan_gp")]
    | Annotated[Hinge, Tag("hinge")]
    | Annotated[Relativistic, Tag("rpgan")]
    | Annotated[Nll, Tag("nll")]
    | Annotated[LSimple, Tag("l_simple")]
    | Annotated[OtherObjective, Tag("other")],
    Discriminator(_choose),
    Field(description="P405-1: the training objective is an explicit density, likelihood or divergence."),
]
