"""The ``reference`` backend: diffusion whose network is the exact denoiser of a Gaussian fitted to the training rows.

Nothing is trained by steps and nothing is approximated but the data themselves, so the law of what it samples is known
in closed form: it is the oracle of the conformance kit. A spec must name it (``backend: reference``). Loads no numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from synthspec.backend.columns import find_field
from synthspec.backend.conditions import condition_reasons
from synthspec.backend.environment import absent, facts
from synthspec.backend.protocol import Kernel
from synthspec.ir.ops import Accelerate, Assess, Fit, Latency, Op, Replay, Sample
from synthspec.ir.schema import Field
from synthspec.ir.solvers import SOLVERS, evaluations
from synthspec.spec.engine import DiffusionEngine, EdmSchedule, FlowMatchingSchedule
from synthspec.spec.objective import LSimple
from synthspec.spec.privacy import NoMechanism

SOLVER_NAMES = ("ddim", "ddpm", "dpmsolver++")
MODALITIES = ("image", "tabular")
LARGEST = 2**24
"""Numbers that the covariances may hold together (128 MiB)."""


@dataclass(frozen=True, slots=True)
class ReferenceBackend:
    """Diffusion over numeric content, conditioned on categorical fields."""

    name: str = "reference"
    version: str = "1"

    def supports(self, op: Op) -> tuple[str, ...]:
        match op:
            case Fit():
                return tuple(_fit_reasons(op))
            case Sample():
                return tuple(dict.fromkeys((*_fit_reasons(op.fit), *condition_reasons(op), *_sampling_reasons(op))))
            case Latency() | Replay():
                return self.supports(op.sample)
            case Assess():
                said = tuple(f"it says nothing of itself: no {name}" for name in op.metrics)
                return (*_fit_reasons(op.fit), *said)
            case Accelerate():
                return (f"the closed form is not made faster: no {op.how.kind}",)
            case _:
                return (f"`{op.op}` is not the work of a backend that makes data",)

    def missing(self) -> str:
        return absent(("numpy", "safetensors"), "data")

    def environment(self) -> Mapping[str, str]:
        return facts(("numpy", "safetensors"))

    def kernels(self) -> Mapping[str, Kernel]:
        from synthspec.backend.reference_kernels import KERNELS

        return KERNELS


def _fit_reasons(op: Fit) -> Iterator[str]:
    if not isinstance(op.engine, DiffusionEngine):
        yield f"only diffusion has this closed form, not {op.engine.family}"
    elif not isinstance(op.objective, LSimple):
        yield f"the measure of diffusion is l_simple, not {op.objective.measure}"
    elif isinstance(op.engine.noise_schedule, EdmSchedule | FlowMatchingSchedule):
        yield f"the closed form is written for alpha_bar, which {op.engine.noise_schedule.name} does not have"
    elif op.engine.noise_schedule.zero_terminal_snr:
        yield "the exact denoiser says eps, which says nothing of a record where no signal is left"
    yield from _exact_reasons(op)
    if op.schema.modality not in MODALITIES:
        yield f"modality {op.schema.modality} is not supported: only {' and '.join(MODALITIES)}"
    content = op.schema.with_role("content")
    if not content:
        yield "the SRef has no content to fit"
    for field in content:
        yield from _content_reasons(field)
    yield from _class_reasons(op)
    if numbers(op) > LARGEST:
        yield f"its covariances would hold {numbers(op)} numbers, more than {LARGEST}"


def _content_reasons(field: Field) -> Iterator[str]:
    if field.transform:
        yield f"exact moments are those of {field.name!r} in its unit: no {field.transform}"
    if field.enum or field.dtype in ("bool", "categorical", "string", "timestamp"):
        yield f"{field.name!r} is not a plain number, so it has no covariance"
    if field.nullable:
        yield f"{field.name!r} may be missing, and a mean over missing values is not exact"


def _exact_reasons(op: Fit) -> Iterator[str]:
    if op.training.init_from is not None:
        yield "exact moments start from no weights"
    if not isinstance(op.privacy, NoMechanism):
        yield f"exact moments are not private: no {op.privacy.mechanism}"


def _class_reasons(op: Fit) -> Iterator[str]:
    for name in op.conditions:
        field = find_field(op.schema, name)
        if field is None:
            yield f"the condition {name!r} is no field of the SRef"
        elif field.dtype != "categorical" or not field.enum or field.shape:
            yield f"the condition {name!r} is not one categorical value with an enum"


def _sampling_reasons(op: Sample) -> Iterator[str]:
    if op.w_cfg and not op.fit.conditions:
        yield f"w_cfg is {op.w_cfg:g}, but there is no condition to guide towards"
    if op.solver is None:
        yield "no solver is planned"
        return
    if op.solver.name not in SOLVER_NAMES:
        yield f"the solver {op.solver.name} is not written here: only {', '.join(SOLVER_NAMES)}"
    elif evaluations(SOLVERS[op.solver.name], op.solver.steps, guided=op.w_cfg > 0) != op.solver.NFE:
        yield f"{op.solver.steps} steps of {op.solver.name} do not cost {op.solver.NFE} evaluations"
    if op.guidance is not None:
        yield f"w_cfg is constant here, not {op.guidance.name}"
    schedule = op.fit.engine.noise_schedule if isinstance(op.fit.engine, DiffusionEngine) else None
    if schedule is not None and op.solver.steps > getattr(schedule, "train_steps", op.solver.steps):
        yield f"{op.solver.steps} steps are more than the noise schedule has"


def numbers(op: Fit) -> int:
    """Numbers in the covariances of all classes and of all rows together."""
    classes = 1
    for name in op.conditions:
        field = find_field(op.schema, name)
        classes *= max(1, len(field.enum)) if field else 1
    width = sum(field.size for field in op.schema.with_role("content"))
    return (classes + 1) * width**2


BACKEND = ReferenceBackend()
