"""Laws of the plugin itself: light to load, honest about what it cannot do, before anything runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache

from synthspec.backend.protocol import Backend
from synthspec.ir.ops import Op
from synthspec.testing.catalogue import catalogue, made_from
from synthspec.testing.conformance.trial import Trial, require

ENGINE_OPS = ("accelerate", "align", "arrive", "assess", "embed", "fit", "latency", "replay", "sample")
"""What a backend may take; the other ops are SynthSpec's own, for it answers for them."""


def loads_no_framework(trial: Trial) -> None:
    """Loading the plugin, and asking it anything but its kernels, loads no framework; `supports` does no I/O."""
    cost = _probed(trial.case.target)
    require(not cost["loaded"], "loading the plugin imports no framework", cost["loaded"])
    require(not cost["impure"], "`supports` neither imports nor opens anything", cost["impure"])


@cache
def _probed(target: str) -> dict[str, list[str]]:
    """What `synthspec.testing.probe` says of `target`: the same for all its cases."""
    command = [sys.executable, "-m", "synthspec.testing.probe", target]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    require(done.returncode == 0, "the plugin answers in a fresh interpreter", done.stderr[-2000:])
    cost: dict[str, list[str]] = json.loads(done.stdout)
    return cost


def says_what_it_is(trial: Trial) -> None:
    """Name and version are texts, nothing is missing, and the environment is a table of texts that stays the same."""
    backend = trial.backend
    require(_is_text(backend.name), "`name` is a text", backend.name)
    require(_is_text(backend.version), "`version` is a text", backend.version)
    require(backend.missing() == "", "nothing is missing where the kit runs", backend.missing())
    facts = backend.environment()
    require(facts and all(map(_is_text, facts)), "the environment names facts", facts)
    require(all(isinstance(value, str) for value in facts.values()), "facts are texts", facts)
    require(dict(facts) == dict(backend.environment()), "the environment stays the same", facts)


def supports_answers_every_op(trial: Trial) -> None:
    """`supports` gives, for every kind of op, family and modality, a tuple of readable reasons, the same each time."""
    for op in catalogue():
        reasons = trial.backend.supports(op)
        about = f"`supports` of {_named(op)}"
        require(isinstance(reasons, tuple), f"{about} is a tuple", reasons)
        require(all(_readable(reason) for reason in reasons), f"{about} gives readable reasons", reasons)
        require(len(set(reasons)) == len(reasons), f"{about} says each reason once", reasons)
        require(reasons == trial.backend.supports(op), f"{about} is the same when asked again", reasons)


def takes_only_its_own_ops(trial: Trial) -> None:
    """A backend takes no op that is SynthSpec's own, and has a kernel for every op that it takes."""
    for op in catalogue():
        if not trial.backend.supports(op):
            require(op.op in ENGINE_OPS, f"`{op.op}` is left to SynthSpec", _named(op))
            require(callable(trial.kernels.get(op.op)), f"an op that is taken has a kernel `{op.op}`", _named(op))


def takes_the_case(trial: Trial) -> None:
    """The op graph of the case is supported from end to end: an engine that cannot be sampled is of no use."""
    for op in (trial.op.fit, trial.op, *made_from(trial.op)):
        require(not trial.backend.supports(op), f"{_named(op)} of the case is supported", _refusal(trial.backend, op))


def _refusal(backend: Backend, op: Op) -> str:
    return "; ".join(backend.supports(op))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _readable(reason: object) -> bool:
    return isinstance(reason, str) and len(reason.split()) >= 3 and "\n" not in reason and reason == reason.strip()


def _named(op: Op) -> str:
    fit = getattr(op, "fit", getattr(getattr(op, "sample", op), "fit", op))
    engine, schema = getattr(fit, "engine", None), getattr(fit, "schema", None)
    return " ".join(part for part in (op.op, getattr(engine, "family", ""), getattr(schema, "modality", "")) if part)
