"""The value cannot stand here.

Why: a choice may be outside of the list, a number outside of its bounds, or two keys that each make sense exclude each other:
    two ends of one training, the beginning of a schedule behind its end. Picking something near would be a guess.

Refs: P405-8; S405-4

Bad:
    training.steps: 1000

Good without training.epochs:
    training.steps: 1000
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.diag import did_you_mean
from synthspec.ir.field_types import NUMBERS
from synthspec.ir.resolved import ResolvedSpec
from synthspec.rules.form import Finding, Note, at, rule
from synthspec.rules.measures import misspelt
from synthspec.rules.subject import at_field, dp_sgd, guidance_schedule
from synthspec.spec.conditioning import IntervalGuidance, LinearGuidance
from synthspec.spec.data import Constant
from synthspec.spec.engine import DiffusionEngine, EdmSchedule, LinearSchedule, ScaledLinearSchedule, UNet2d
from synthspec.spec.objective import OtherObjective

LEARNED = frozenset({"content", "condition"})


@rule(code="schema.bad-value")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    yield from _architecture(resolved)
    yield from _transforms(resolved)
    yield from _constants(resolved)
    yield from _schedules(resolved)
    objective = resolved.spec.objective
    if isinstance(objective, OtherObjective) and objective.measure is not None and misspelt(objective.measure):
        advice = f"did you mean {misspelt(objective.measure)!r}?"
        yield Finding(at("objective", "measure"), f"there is no measure {objective.measure!r}", advice)
    yield from _training(resolved)
    yield from _features(resolved)


def _features(resolved: ResolvedSpec) -> Iterator[Finding]:
    """Keys of features that say nothing of the named ones: passed over they would look as if they did."""
    features = None if resolved.spec.evaluation is None else resolved.spec.evaluation.features
    if features is None:
        return
    spare = ["entry"] if features.name != "module" else []
    spare += ["weights", "sha256", "provenance", "id"] if features.name == "embedded" else []
    for key in spare:
        if getattr(features, key) is not None:
            whose = "features of a module" if key == "entry" else "features from a file"
            message = f"{key} is about {whose}, and these are {features.name}"
            yield Finding(at("evaluation", "features", key), message, "leave it out, or name the features it is of")


def _schedules(resolved: ResolvedSpec) -> Iterator[Finding]:
    engine, way = resolved.spec.engine, guidance_schedule(resolved)
    schedule = engine.noise_schedule if isinstance(engine, DiffusionEngine) else None
    if isinstance(schedule, LinearSchedule | ScaledLinearSchedule):
        if not schedule.beta_start < schedule.beta_end < 1:
            message = f"beta_t cannot go from {schedule.beta_start:g} to {schedule.beta_end:g}"
            advice = "write beta_start below beta_end, and beta_end below 1"
            yield Finding(at("engine", "noise_schedule", "beta_end"), message, advice)
    elif isinstance(schedule, EdmSchedule) and schedule.sigma_min >= schedule.sigma_max:
        message = f"sigma cannot go from {schedule.sigma_max:g} down to {schedule.sigma_min:g}"
        yield Finding(at("engine", "noise_schedule", "sigma_min"), message, "write sigma_min below sigma_max")
    if isinstance(way, IntervalGuidance) and way.low >= way.high:
        message = f"no t lies between {way.low:g} and {way.high:g}, so nothing would be guided"
        where = at("conditioning", "guidance", "schedule", "low")
        yield Finding(where, message, "write low below high, or w_cfg: 0 for no guidance")
    elif isinstance(way, LinearGuidance) and way.start == way.end == 0:
        message = "w_cfg(t) is 0 from start to end, so nothing would be guided"
        where = at("conditioning", "guidance", "schedule", "end")
        yield Finding(where, message, "write a start or an end above 0, or w_cfg: 0 for no guidance")


def _training(resolved: ResolvedSpec) -> Iterator[Finding]:
    training = resolved.spec.training
    if training is None:
        return
    if training.epochs is not None and training.steps is not None:
        because = Note("the other end", at("training", "epochs"))
        yield Finding(at("training", "steps"), "training ends twice", "keep epochs or steps", (because,))
    if training.max_attempts is not None and training.on_divergence != "restart":
        message = f"training is to be begun {training.max_attempts} times, and does not begin again when it diverges"
        yield Finding(at("training", "max_attempts"), message, "leave it out, or write on_divergence: restart")
    block = dp_sgd(resolved)
    if block is not None and block.dataset_size is not None and block.adjacency != "add_remove":
        if not block.dataset_size.public:
            return  # that they are private is what P405-4.private-size-used says
        for key in ("epochs", "batch_size"):
            if getattr(training, key) is not None:
                message = f"training.{key} is stated, but steps and batches are the privacy block's"
                because = Note("the privacy block", at("privacy"))
                yield Finding(at("training", key), message, "leave it out", (because,))


def _transforms(resolved: ResolvedSpec) -> Iterator[Finding]:
    known = {field.name: field for field in resolved.sref.fields}
    learned = [name for name, field in known.items() if field.dtype in NUMBERS and field.role in LEARNED]
    for name in resolved.spec.data.transform:
        if name not in learned:
            field = known.get(name)
            message = f"{name!r} is no field that is learned as a number"
            because = () if field is None else (Note("the field", at_field(resolved, field)),)
            yield Finding(at("data", "transform", name), message, did_you_mean(name, learned), because)


def _constants(resolved: ResolvedSpec) -> Iterator[Finding]:
    """Values for gaps that their field does not allow."""
    how = resolved.spec.data.impute
    known = {field.name: field for field in resolved.sref.fields}
    for name, fill in how.items() if isinstance(how, dict) else ():
        field = known.get(name)
        if field is None or not isinstance(fill, Constant):
            continue
        where, value = at("data", "impute", name, "constant"), fill.constant
        if field.enum is not None:
            if value not in field.enum:
                advice = did_you_mean(str(value), [str(member) for member in field.enum])
                because = (Note("the members", at_field(resolved, field, "enum")),)
                yield Finding(where, f"{value!r} is no member of the enum of {name!r}", advice, because)
        elif isinstance(value, str | bool):
            yield Finding(where, f"{name!r} is {field.dtype}, and {value!r} is no number", "write a number in its unit")
        elif field.range is not None and not field.range[0] <= value <= field.range[1]:
            because = (Note("the range", at_field(resolved, field, "range")),)
            yield Finding(where, f"{value:g} leaves the range of {name!r}", "write a number inside of it", because)


def _architecture(resolved: ResolvedSpec) -> Iterator[Finding]:
    architecture = resolved.spec.engine.architecture
    if isinstance(architecture, UNet2d) and architecture.attention is not None:
        wanted, found = len(architecture.channels), len(architecture.attention)
        if wanted != found:
            message = f"attention has {found} entries for {wanted} levels of channels"
            because = Note("the levels", at("engine", "architecture", "channels"))
            yield Finding(at("engine", "architecture", "attention"), message, "write one for each level", (because,))
