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
from synthspec.rules.subject import at_field, dp_sgd
from synthspec.spec.engine import DiffusionEngine, LinearSchedule, ScaledLinearSchedule, UNet2d
from synthspec.spec.objective import OtherObjective

LEARNED = frozenset({"content", "condition"})


@rule(code="schema.bad-value")
def check(resolved: ResolvedSpec) -> Iterator[Finding]:
    yield from _architecture(resolved)
    yield from _transforms(resolved)
    engine, objective = resolved.spec.engine, resolved.spec.objective
    if isinstance(engine, DiffusionEngine) and isinstance(engine.noise_schedule, LinearSchedule | ScaledLinearSchedule):
        schedule = engine.noise_schedule
        if not schedule.beta_start < schedule.beta_end < 1:
            message = f"beta_t cannot go from {schedule.beta_start:g} to {schedule.beta_end:g}"
            advice = "write beta_start below beta_end, and beta_end below 1"
            yield Finding(at("engine", "noise_schedule", "beta_end"), message, advice)
    if isinstance(objective, OtherObjective) and objective.measure is not None and misspelt(objective.measure):
        advice = f"did you mean {misspelt(objective.measure)!r}?"
        yield Finding(at("objective", "measure"), f"there is no measure {objective.measure!r}", advice)
    yield from _training(resolved)


def _training(resolved: ResolvedSpec) -> Iterator[Finding]:
    training = resolved.spec.training
    if training is None:
        return
    if training.epochs is not None and training.steps is not None:
        because = Note("the other end", at("training", "epochs"))
        yield Finding(at("training", "steps"), "training ends twice", "keep epochs or steps", (because,))
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


def _architecture(resolved: ResolvedSpec) -> Iterator[Finding]:
    architecture = resolved.spec.engine.architecture
    if isinstance(architecture, UNet2d) and architecture.attention is not None:
        wanted, found = len(architecture.channels), len(architecture.attention)
        if wanted != found:
            message = f"attention has {found} entries for {wanted} levels of channels"
            because = Note("the levels", at("engine", "architecture", "channels"))
            yield Finding(at("engine", "architecture", "attention"), message, "write one for each level", (because,))
