"""The closed unions that ops carry, gathered for backends: a `match` over one of them is checked for completeness."""

from synthspec.ir.ops import KnownEngine, KnownObjective, Mechanism
from synthspec.spec.conditioning import GuidanceSchedule, IntervalGuidance, LinearGuidance, Variable
from synthspec.spec.engine import (
    AffineCoupling,
    Autoregressive,
    CosineSchedule,
    DiffusionEngine,
    DiscreteSchedule,
    EdmSchedule,
    FlowEngine,
    FlowMatchingSchedule,
    GanConv,
    GanEngine,
    GanMlp,
    LinearSchedule,
    MlpDenoiser,
    NoiseSchedule,
    OtherArchitecture,
    ScaledLinearSchedule,
    SplineCoupling,
    TransformerDenoiser,
    UNet2d,
    VaeConv,
    VaeEngine,
    VaeMlp,
)
from synthspec.spec.evaluation import Features, MembershipAttack
from synthspec.spec.objective import (
    Adversarial,
    EdmWeighting,
    Elbo,
    ElboBeta,
    Hinge,
    LSimple,
    MinSnr,
    Nll,
    Relativistic,
    SigmoidWeighting,
    WganGp,
)
from synthspec.spec.privacy import DpNoise, DpSgd, NoMechanism, Pate
from synthspec.spec.sampling import Compile, Distill, Quantize
from synthspec.spec.training import Convergence, Monitor, Optimizer, Rollback, Stability, Training

__all__ = [  # noqa: RUF022 - by section of the language
    "KnownEngine", "VaeEngine", "GanEngine", "FlowEngine", "DiffusionEngine",
    "VaeMlp", "VaeConv", "GanMlp", "GanConv", "SplineCoupling", "AffineCoupling", "Autoregressive",
    "UNet2d", "MlpDenoiser", "TransformerDenoiser", "OtherArchitecture",
    "NoiseSchedule", "DiscreteSchedule", "LinearSchedule", "ScaledLinearSchedule", "CosineSchedule",
    "EdmSchedule", "FlowMatchingSchedule",
    "KnownObjective", "Elbo", "ElboBeta", "Adversarial", "WganGp", "Hinge", "Relativistic", "Nll", "LSimple",
    "MinSnr", "EdmWeighting", "SigmoidWeighting",
    "Mechanism", "NoMechanism", "DpSgd", "Pate", "DpNoise",
    "Training", "Optimizer", "Stability", "Monitor", "Convergence", "Rollback",
    "Distill", "Quantize", "Compile",
    "Variable", "GuidanceSchedule", "IntervalGuidance", "LinearGuidance", "Features", "MembershipAttack",
]  # fmt: skip
