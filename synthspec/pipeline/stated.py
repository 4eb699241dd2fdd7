"""What of a manifest follows from the plan alone, or from the spec: told when it is made, and again by whoever verifies it.

A leaf: `verify` needs it and nothing that runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

from synthspec.ir import manifest_base as base
from synthspec.ir import manifest_engine as groups
from synthspec.ir.canonical import digest, to_json
from synthspec.ir.ops import Sample
from synthspec.ir.plan import Plan
from synthspec.pipeline.contents import SPEC
from synthspec.spec.enginespec import EngineSpec
from synthspec.spec.privacy import DpNoise, DpSgd, Pate
from synthspec.spec.sref import SRef

_EQUATIONS = {
    "elbo": "S405-1", "elbo_beta": "S405-1", "gan": "S405-2", "wgan_gp": "S405-2", "hinge": "S405-2",
    "rpgan": "S405-2", "nll": "S405-3", "l_simple": "S405-4",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is known of a plan to whoever has only the spec: the spec, its schema, and how records are drawn."""

    spec: EngineSpec
    sref: SRef
    sample: Sample


Stated = Plan | Drawn


def sample_of(plan: Stated) -> Sample:
    """The op that draws the records; with it goes how the engine was trained."""
    return plan.sample if isinstance(plan, Drawn) else cast("Sample", plan.node("sample").op)


def schema_ref(plan: Stated) -> tuple[str, str, str]:
    """Name, version and content of the schema, as the group `dataset` tells them."""
    name = plan.sref.metadata.name
    return name, f"{name} {plan.sref.metadata.version}", digest("synthspec.sref.v1", plan.sref)


def public_size(spec: EngineSpec) -> int | None:
    """How many records there are, where the spec says that this is public."""
    size = getattr(spec.privacy, "dataset_size", None)
    return None if size is None else size.told


def engine_ref(plan: Stated) -> groups.EngineRef:
    """The group `engine`."""
    spec, op = plan.spec, sample_of(plan)
    seed = op.fit.training.seed
    return groups.EngineRef(
        type=spec.engine.family,
        version=spec.metadata.version,
        seed=None if seed is None else str(seed),
        rng=op.rng,
        spec_uri=SPEC,
        train_data_ref=spec.data.source,
    )


def conditions(plan: Stated) -> tuple[groups.ConditionVariable, ...]:
    """P405-2: the variables of c."""
    return tuple(
        groups.ConditionVariable(
            name=name,
            interface=variable.interface,
            distribution=variable.distribution,
            coverage_min=variable.coverage_min,
        )
        for name, variable in sample_of(plan).variables
    )


def controls(plan: Stated) -> dict[str, Any]:
    """What `generation.controls` says before anything has run."""
    op = sample_of(plan)
    told: dict[str, Any] = {"n": plan.spec.sampling.n, "block": op.block}
    if op.fit.engine.family == "diffusion":
        told |= {"cfg_scale": op.w_cfg, "cfg_convention": "S405-6"}
        if op.guidance is not None:
            told |= {f"cfg_schedule_{key}": value for key, value in op.guidance.model_dump().items()}
    return told | {name: str(value) for name, value in op.condition}


def watermark(plan: Stated) -> dict[str, object]:
    """What `generation.controls` says of the mark that the spec asks for; None where it asks for none."""
    mark = None if plan.spec.release is None else plan.spec.release.watermark
    if mark is None:
        return dict.fromkeys(("watermark", "watermark.candidates", "watermark.alpha"))
    return {"watermark": mark.method, "watermark.candidates": mark.candidates, "watermark.alpha": mark.alpha}


def schedule(plan: Stated) -> dict[str, base.Parameter]:
    """The noise schedule; empty where the family has none."""
    found = getattr(sample_of(plan).fit.engine, "noise_schedule", None)
    return {} if found is None else {"name": found.name, **_parameters(found)}


def architecture(plan: Stated, parameters: int | None) -> groups.Architecture:
    """The network, with how many numbers it turned out to have."""
    found = sample_of(plan).fit.engine.architecture
    return groups.Architecture(name=cast("str", found.name), parameters=_parameters(found), n_parameters=parameters)


def objective(plan: Stated) -> groups.ObjectiveRef:
    """P405-1: the measure, and the equation that it is."""
    found = sample_of(plan).fit.objective
    equation = cast("Literal['S405-1', 'S405-2', 'S405-3', 'S405-4']", _EQUATIONS[found.measure])
    return groups.ObjectiveRef(measure=found.measure, equation=equation, parameters=_parameters(found))


def seeds(plan: Stated) -> dict[str, str]:
    """Every public seed that the plan fixes."""
    op = sample_of(plan)
    found = {
        "training": op.fit.training.seed,
        "sampling": op.seed,
        "split": getattr(plan.spec.data.split, "seed", None),
    }
    return {name: str(seed) for name, seed in found.items() if seed is not None}


def protection(block: DpSgd | Pate | DpNoise) -> dict[str, object]:
    """What `privacy.dp` says of the mechanism where `block` says it; what it leaves to be solved or counted is left out.

    What belongs to another mechanism is None.
    """
    of_sums: dict[str, object] = dict.fromkeys(("clip_norm", "sampling_rate", "normalizer"))
    of_votes: dict[str, object] = dict.fromkeys(("teachers", "aggregation"))
    told: dict[str, object] = {"adjacency": block.adjacency, "unit": block.unit}
    if not isinstance(block, DpNoise):
        # With it comes what computes eps: only a run under a mechanism needs that.
        from synthspec.ir.privacy import stated_multiplier

        told["noise_multiplier"] = stated_multiplier(block)
    if isinstance(block, DpSgd):
        told["clip_norm"] = None if block.clip is None else block.clip.norm
        told["sampling_rate"] = None if block.sampling is None else block.sampling.rate
        told["normalizer"] = getattr(block.normalizer, "public_constant", block.normalizer)
        of_sums = {}
    if isinstance(block, Pate):
        told |= {"teachers": block.teachers, "aggregation": block.aggregation}
        of_votes = {}
    known = {name: value for name, value in told.items() if value is not None and value != "auto"}
    return of_sums | of_votes | known


def releases(block: DpSgd | Pate | DpNoise) -> int | None:
    """The most that a training under `block` releases, in steps or answered queries; None where it does not say."""
    if isinstance(block, DpNoise):
        return None
    return block.steps if isinstance(block, DpSgd) else block.queries


def _parameters(model: object) -> dict[str, base.Parameter]:
    """The parameters of a section as scalars and lists of scalars; its name stands beside them."""
    plain = cast("dict[str, Any]", to_json(model))
    flat: dict[str, base.Parameter] = {}
    for name, value in plain.items():
        if name in ("name", "measure"):
            continue
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": _scalars(item) for inner, item in value.items()}
        else:
            flat[name] = _scalars(value)
    return flat


def _scalars(value: object) -> base.Parameter:
    return tuple(value) if isinstance(value, list) else cast("base.Parameter", value)
