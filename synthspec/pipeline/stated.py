"""What of a manifest follows from the plan alone: told when it is made, and told again by whoever verifies it.

A leaf: `verify` needs it and nothing that runs.
"""

from __future__ import annotations

from typing import Any, Literal, cast

from synthspec.ir import manifest_base as base
from synthspec.ir import manifest_engine as groups
from synthspec.ir.canonical import digest, to_json
from synthspec.ir.ops import Sample
from synthspec.ir.plan import Plan
from synthspec.pipeline.contents import SPEC

_EQUATIONS = {
    "elbo": "S405-1", "elbo_beta": "S405-1", "gan": "S405-2", "wgan_gp": "S405-2", "hinge": "S405-2",
    "rpgan": "S405-2", "nll": "S405-3", "l_simple": "S405-4",
}  # fmt: skip


def sample_of(plan: Plan) -> Sample:
    """The op that draws the records; with it goes how the engine was trained."""
    return cast("Sample", plan.node("sample").op)


def schema_ref(plan: Plan) -> tuple[str, str, str]:
    """Name, version and content of the schema, as the group `dataset` tells them."""
    name = plan.sref.metadata.name
    return name, f"{name} {plan.sref.metadata.version}", digest("synthspec.sref.v1", plan.sref)


def engine_ref(plan: Plan) -> groups.EngineRef:
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


def conditions(plan: Plan) -> tuple[groups.ConditionVariable, ...]:
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


def controls(plan: Plan) -> dict[str, Any]:
    """What `generation.controls` says before anything has run."""
    op = sample_of(plan)
    told: dict[str, Any] = {"n": plan.spec.sampling.n, "block": op.block}
    if op.fit.engine.family == "diffusion":
        told |= {"cfg_scale": op.w_cfg, "cfg_convention": "S405-6"}
        if op.guidance is not None:
            told |= {f"cfg_schedule_{key}": value for key, value in op.guidance.model_dump().items()}
    return told | {name: str(value) for name, value in op.condition}


def schedule(plan: Plan) -> dict[str, base.Parameter]:
    """The noise schedule; empty where the family has none."""
    found = getattr(sample_of(plan).fit.engine, "noise_schedule", None)
    return {} if found is None else {"name": found.name, **_parameters(found)}


def architecture(plan: Plan, parameters: int | None) -> groups.Architecture:
    """The network, with how many numbers it turned out to have."""
    found = sample_of(plan).fit.engine.architecture
    return groups.Architecture(name=cast("str", found.name), parameters=_parameters(found), n_parameters=parameters)


def objective(plan: Plan) -> groups.ObjectiveRef:
    """P405-1: the measure, and the equation that it is."""
    found = sample_of(plan).fit.objective
    equation = cast("Literal['S405-1', 'S405-2', 'S405-3', 'S405-4']", _EQUATIONS[found.measure])
    return groups.ObjectiveRef(measure=found.measure, equation=equation, parameters=_parameters(found))


def seeds(plan: Plan) -> dict[str, str]:
    """Every public seed that the plan fixes."""
    op = sample_of(plan)
    found = {
        "training": op.fit.training.seed,
        "sampling": op.seed,
        "split": getattr(plan.spec.data.split, "seed", None),
    }
    return {name: str(seed) for name, seed in found.items() if seed is not None}


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
