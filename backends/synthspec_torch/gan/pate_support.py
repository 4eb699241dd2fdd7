"""Which trainings by votes (PATE) can be kept to, asked before anything runs. Pure: no framework and no numpy is loaded."""

from __future__ import annotations

import math
from collections.abc import Iterator

from synthspec.ir.families import Adversarial, Hinge, Pate, Relativistic, WganGp
from synthspec.ir.ops import Fit
from synthspec_torch.privacy.support import declared_reasons, watching_reasons

SIGNALS = frozenset({"step", "lr", "votes_real", "loss_critic", "loss_generator"})
"""What such a training emits: all of it is made of released votes. The critic of the log is the student."""
ACTIONS = ("scale_lr", "stop")
TEACHERS_MAX = 4096


def vote_reasons(op: Fit, block: Pate) -> Iterator[str]:
    """Why a GAN cannot be trained by votes as `op` says."""
    yield from _block_reasons(block)
    yield from _training_reasons(op)
    objective = op.objective
    if not isinstance(objective, Adversarial | Hinge):
        yield f"measure {objective.measure} needs real records beside generated ones, and a student has votes: gan or hinge"
    if isinstance(objective, Adversarial | Hinge | WganGp | Relativistic):
        if objective.generator_terms:
            yield "generator_terms show real records to the generator: none under pate"
        if objective.augmentation:
            yield "augmentations are not supported under pate"
    if getattr(op.engine.architecture, "pac", 1) > 1:
        yield "packs show a critic several records at once, and a vote is about one: only pac 1 under pate"
    yield from watching_reasons(op.stability, SIGNALS, ACTIONS)
    yield from declared_reasons(op.schema, op.conditions)


def _block_reasons(block: Pate) -> Iterator[str]:
    noise = block.noise
    if block.unit != "record":
        yield f"unit {block.unit} is not supported: only record"
    if block.adjacency is None:
        yield "privacy.adjacency is missing"
    if not isinstance(block.teachers, int) or not 1 <= block.teachers <= TEACHERS_MAX:
        yield f"privacy.teachers needs a number up to {TEACHERS_MAX}"
    if block.partition != "disjoint":
        yield f"partition {block.partition} is not supported: only disjoint"
    if block.aggregation is None:
        yield "privacy.aggregation is missing"
    if not block.queries:
        yield "privacy.queries is missing"
    if block.report != "data_independent":
        yield f"report {block.report} is not supported: only data_independent"
    if noise is None or isinstance(noise.multiplier, str) or not 0 < noise.multiplier < math.inf:
        yield "privacy.noise needs a multiplier in numbers (auto is solved by the compiler, with dp-accounting installed)"
    elif noise.seed is not None or noise.per != "step" or noise.dtype != "float64":
        yield "noise is drawn for each query, in float64, from a secret seed"


def _training_reasons(op: Fit) -> Iterator[str]:
    training = op.training
    if training.precision != "fp32":
        yield f"precision {training.precision} is not supported: only fp32"
    for name in ("seed", "batch_size", "steps"):
        if getattr(training, name) is None:
            yield f"training.{name} is missing"
    if training.epochs is not None:
        yield "training.epochs depends on the number of records: write steps under pate"
