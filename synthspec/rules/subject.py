"""What several rules ask of a spec: its mechanism, its condition variables, the kinds of its fields."""

from __future__ import annotations

from synthspec.ir.field_types import INTEGERS, NUMBERS
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import At, at_sref
from synthspec.spec.conditioning import GuidanceSchedule, Variable
from synthspec.spec.privacy import DpNoise, DpSgd, NoMechanism, Pate, UnstatedMechanism
from synthspec.spec.sref import SRef, SRefField


def mechanism(resolved: ResolvedSpec) -> DpSgd | Pate | DpNoise | None:
    """The privacy mechanism, or None where there is none or none is stated."""
    privacy = resolved.spec.privacy
    return None if isinstance(privacy, NoMechanism | UnstatedMechanism) else privacy


def sees_records(resolved: ResolvedSpec) -> DpSgd | Pate | None:
    """The mechanism where training itself looks at private records: under dp-noise it sees drawn ones, and all is free."""
    block = mechanism(resolved)
    return None if isinstance(block, DpNoise) else block


def undecided(resolved: ResolvedSpec) -> bool:
    """Whether it is not said if there is a mechanism: what follows from either choice is not asked for then."""
    return resolved.spec.privacy is None or isinstance(resolved.spec.privacy, UnstatedMechanism)


def dp_sgd(resolved: ResolvedSpec) -> DpSgd | None:
    """The block of a differentially private training, or None."""
    privacy = resolved.spec.privacy
    return privacy if isinstance(privacy, DpSgd) else None


def variables(resolved: ResolvedSpec) -> dict[str, Variable]:
    """The registered variables of c by name."""
    conditioning = resolved.spec.conditioning
    return {} if conditioning is None else conditioning.variables


def guided(resolved: ResolvedSpec) -> bool:
    """Whether sampling evaluates the network twice a call (S405-6)."""
    conditioning = resolved.spec.conditioning
    return conditioning is not None and conditioning.guidance is not None and conditioning.guidance.w_cfg > 0


def guidance_schedule(resolved: ResolvedSpec) -> GuidanceSchedule | None:
    """How w_cfg changes along the way of a guided sample; None is constant."""
    conditioning = resolved.spec.conditioning
    return None if conditioning is None or conditioning.guidance is None else conditioning.guidance.schedule


def metrics(resolved: ResolvedSpec) -> tuple[str, ...]:
    """The metrics that the spec asks for."""
    evaluation = resolved.spec.evaluation
    return () if evaluation is None else evaluation.metrics


def at_field(resolved: ResolvedSpec, field: SRefField, key: str = "name") -> At:
    """The place of `key` of a field in the SRef."""
    number = next(number for number, each in enumerate(resolved.sref.fields) if each is field)
    return at_sref("fields", number, key)


def by_name(sref: SRef) -> dict[str, SRefField]:
    """The fields by their names; of two with one name the earlier."""
    return {field.name: field for field in reversed(sref.fields)}


def owes_unit(field: SRefField) -> bool:
    """Whether `field` is a number that is measured in something: no key, and no numbered choice."""
    return field.dtype in NUMBERS and field.role != "key" and field.enum is None


def levels(field: SRefField) -> int | None:
    """How many values a field can take, or None when it is continuous or unbounded."""
    if field.enum is not None:
        return len(field.enum)
    if field.dtype == "bool":
        return 2
    step = field.resolution or (1.0 if field.dtype in INTEGERS else None)
    if field.range is None or step is None:
        return None
    return round((field.range[1] - field.range[0]) / step) + 1
