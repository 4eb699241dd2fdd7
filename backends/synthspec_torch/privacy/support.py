"""Which private trainings can be kept to, asked before anything runs. Pure: no framework and no numpy is loaded."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from synthspec.backend.columns import find_field
from synthspec.ir.families import DpSgd, Mechanism, NoMechanism, Stability, Training
from synthspec.ir.schema import Schema

RELEASED_SIGNALS = frozenset({"step", "epoch", "lr", "grad_norm_released"})
"""What a private training emits: nothing else was released."""
RELEASED_ACTIONS = ("skip", "scale_lr", "stop")


def mechanism_reasons(privacy: Mechanism, *allowed: str) -> Iterator[str]:
    """Why an engine that trains under the mechanisms `allowed` cannot keep to `privacy`."""
    if isinstance(privacy, NoMechanism):
        return
    if privacy.mechanism not in allowed:
        yield f"privacy mechanism {privacy.mechanism} is not supported: only {', '.join(('none', *allowed))}"
    elif isinstance(privacy, DpSgd):
        yield from _block_reasons(privacy)


def private_training_reasons(
    training: Training, stability: Stability, *further: str, block: DpSgd, turn: int = 1
) -> Iterator[str]:
    """Why a private training cannot keep to `training` and `stability`: its steps and batches are those of `block`.

    `further`: signals that the family emits under a mechanism, beside `RELEASED_SIGNALS`; `turn`: releases of one step of
    the training.
    """
    if training.precision != "fp32":
        yield f"precision {training.precision} is not supported: only fp32"
    if training.seed is None:
        yield "training.seed is missing"
    if training.steps is not None and block.steps is not None and training.steps * turn != block.steps:
        yield f"training.steps is {training.steps}, and the privacy block has {block.steps} releases"
    for name in ("epochs", "batch_size", "grad_clip"):
        if getattr(training, name) is not None:
            yield f"training.{name} has no meaning under dp-sgd: the privacy block says it"
    yield from watching_reasons(stability, RELEASED_SIGNALS | set(further), RELEASED_ACTIONS)


def watching_reasons(stability: Stability, known: Collection[str], actions: Collection[str]) -> Iterator[str]:
    """Why monitors that may see `known` and do `actions` cannot be what `stability` says."""
    watched = {monitor.signal for monitor in stability.monitors}
    if stability.convergence:
        watched.add(stability.convergence.signal)
    for name in sorted(watched - set(known)):
        yield f"signal {name!r} is not released: only {', '.join(sorted(known))}"
    for monitor in stability.monitors:
        if monitor.action not in actions:
            yield f"action {monitor.action!r} is not for a private training: only {', '.join(actions)}"
        if monitor.then not in actions:
            yield f"then {monitor.then!r} is not for a private training: write stop"


def declared_reasons(schema: Schema, names: tuple[str, ...] = ()) -> Iterator[str]:
    """Why scales cannot come from the SRef alone, for the content and for the conditions `names`."""
    conditions = [field for field in (find_field(schema, name) for name in names) if field is not None]
    for field in (*schema.with_role("content"), *conditions):
        if field.dtype == "timestamp":
            yield f"{field.name!r} is a timestamp, and its scale would come from the data"
        elif field.range is None and not field.enum and field.dtype != "bool":
            yield f"{field.name!r} has no range, and under a mechanism none is taken from the data"


def _block_reasons(block: DpSgd) -> Iterator[str]:
    if block.unit != "record":
        yield f"unit {block.unit} is not supported: only record"
    if block.adjacency is None:
        yield "privacy.adjacency is missing"
    if block.sampling is None or block.sampling.scheme != "poisson" or block.sampling.rate is None:
        yield "only Poisson sampling at a stated rate is supported"
    elif block.sampling.on_empty not in (None, "noise_only"):
        yield f"on_empty {block.sampling.on_empty} is not supported: an empty batch releases noise"
    if block.steps is None:
        yield "privacy.steps is missing"
    yield from _scale_reasons(block)
    if block.bounds == "data":
        yield "bounds from the data are not supported: only sref"
    if not isinstance(block.multiplicity, int) and block.multiplicity.clip != "after":
        yield "the draws of one record are averaged before its one clip, not clipped each"


def _scale_reasons(block: DpSgd) -> Iterator[str]:
    clip, noise = block.clip, block.noise
    if clip is None or isinstance(clip.norm, str) or not (0 < clip.norm < math.inf):
        yield "privacy.clip needs a norm in numbers"
    elif clip.per != "record" or clip.scope != "flat":
        yield f"a clip per {clip.per}, {clip.scope}, is not supported: only per record, flat over all weights"
    if noise is None or isinstance(noise.multiplier, str) or not (0 < noise.multiplier < math.inf):
        yield "privacy.noise needs a multiplier in numbers (auto is solved by the compiler, with dp-accounting installed)"
    elif noise.seed is not None or noise.per != "step" or noise.dtype != "float64":
        yield "noise is drawn once a step, in float64, from a secret seed"
    if not normalizer_of(block) > 0:
        yield "privacy.normalizer needs a positive constant"


def normalizer_of(block: DpSgd) -> float:
    """The public constant that noisy sums are divided by; 0 where none is stated."""
    stated = getattr(block.normalizer, "public_constant", block.normalizer)
    return float(stated) if isinstance(stated, float | int) else 0.0


def draws_of(privacy: Mechanism) -> int:
    """How many noise draws of each record are averaged before its clip."""
    if not isinstance(privacy, DpSgd):
        return 1
    return privacy.multiplicity if isinstance(privacy.multiplicity, int) else privacy.multiplicity.k
