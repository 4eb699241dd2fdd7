"""A training that diverged begins again, from the next seed, as often as the spec says (P405-3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import wraps

from synthspec.backend.artifacts import FIT_REPORT, TRAINING_LOG, FitReport, TrainingEvent, read_report, write_report
from synthspec.backend.protocol import Artifact, Context, DataError, Kernel
from synthspec.ir.ops import Fit

DIVERGED = "P405-3.diverged"
SEEDS = 2**53
"""Seeds are smaller than this: after the last comes 0."""
ADVICE = "lower optimizer.lr, set training.grad_clip, or allow more rollbacks"


class Diverged(DataError):  # noqa: N818 - it is answered by another attempt, and is a fault where there is none
    """A signal is not finite, and this attempt is over."""

    def __init__(self, event: TrainingEvent, rollbacks: int) -> None:
        super().__init__(DIVERGED, f"training diverged: {_what(event)}, after {rollbacks} rollbacks", ADVICE)
        self.event = event


def seed_of(op: Fit, attempt: int) -> int:
    """The seed of an attempt, counted from 1: the stated one, then those that follow it."""
    return ((op.training.seed or 0) + attempt - 1) % SEEDS


def log_of(attempt: int) -> str:
    """Where the signals of an attempt that diverged are kept, beside those of the one that did not."""
    return f"training.{attempt}.jsonl"


def restarting(fit: Kernel) -> Kernel:
    """`fit`, begun again from the next seed while it diverges, where its op says so: `max_attempts` times in all.

    The attempt that is kept makes the bytes that its seed alone would have made. Each that was given up is an event of the
    report, and its signals stay beside those of the kept one. Raises DataError ``P405-3.diverged`` when all diverge.
    """

    @wraps(fit)
    def kernel(op: Fit, inputs: Mapping[str, Artifact], context: Context) -> None:
        if op.training.on_divergence != "restart":
            fit(op, inputs, context)
            return
        attempts, events = op.training.max_attempts or 1, []
        for attempt in range(1, attempts + 1):
            seed = seed_of(op, attempt)
            try:
                fit(_with_seed(op, seed), inputs, _own_folder(context, attempt))
            except Diverged as fault:
                if attempt == attempts:
                    raise _all_diverged(attempts, fault) from fault
                events.append(_given_up(fault.event, attempt, attempts, seed_of(op, attempt + 1)))
                (context.out / TRAINING_LOG).rename(context.out / log_of(attempt))
            else:
                _tell(context, events, attempt, seed)
                return

    return kernel


def _with_seed(op: Fit, seed: int) -> Fit:
    return replace(op, training=op.training.model_copy(update={"seed": seed}))


def _own_folder(context: Context, attempt: int) -> Context:
    """What a killed attempt left is of that attempt alone."""
    if context.unfinished is None:
        return context
    return replace(context, unfinished=context.unfinished / f"attempt-{attempt}")


def _what(event: TrainingEvent) -> str:
    return f"{event.signal} is not finite at step {event.step}"


def _given_up(event: TrainingEvent, attempt: int, attempts: int, following: int) -> TrainingEvent:
    detail = f"attempt {attempt} of {attempts}: {_what(event)}; begun again with seed {following}"
    return replace(event, action="restart", detail=detail)


def _all_diverged(attempts: int, last: Diverged) -> DataError:
    message = f"training diverged in each of {attempts} attempts; in the last, {_what(last.event)}"
    return DataError(DIVERGED, message, ADVICE)


def _tell(context: Context, events: list[TrainingEvent], attempt: int, seed: int) -> None:
    report = read_report(context.out / FIT_REPORT, FitReport)
    told = (*report.facts, ("attempts", attempt), ("seed_kept", seed))
    write_report(context.out, FIT_REPORT, replace(report, events=(*events, *report.events), facts=told))
