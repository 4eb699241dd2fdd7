"""Running a signed plan again and comparing what comes out (C40-519)."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from synthspec.backend.protocol import Progress
from synthspec.diag import Outcome, failure
from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_origin import Environment
from synthspec.ir.plan import read_plan
from synthspec.pipeline.contents import PLAN, result_digests
from synthspec.pipeline.running import RunOptions, run_plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One file by its SHA-256, then and now."""

    name: str
    then: str
    now: str

    @property
    def same(self) -> bool:
        return self.then == self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a replay gave. `grade` is ``bitwise`` or ``differs``; every environment fact that changed is listed.

    Equal results of other data would prove nothing, so what was read counts as well.
    """

    files: tuple[Comparison, ...]
    inputs: tuple[Comparison, ...]
    """What was read from outside the plan."""
    environment: tuple[tuple[str, str, str], ...]
    """(fact, then, now)."""

    @property
    def grade(self) -> str:
        return "bitwise" if self.files and all(file.same for file in (*self.files, *self.inputs)) else "differs"


def replay_plan(manifest: Manifest, folder: Path, options: RunOptions, progress: Progress) -> Outcome[Replay]:
    """Run the plan in `folder`, which `manifest` belongs to, in a fresh store, and compare weights and samples.

    The caller has verified `folder`. ``options.store`` and ``options.out`` are replaced by temporary ones.
    """
    plan = read_plan((folder / PLAN).read_bytes())
    with tempfile.TemporaryDirectory(prefix="synthspec-replay-") as scratch:
        fresh = replace(options, store=Path(scratch) / "store", out=Path(scratch) / "run")
        done = run_plan(plan, fresh, progress)
        if done.value is None:
            return failure(done.diagnostics)
        again = done.value.manifest
    return Outcome(
        Replay(
            files=_compared(result_digests(manifest), result_digests(again)),
            inputs=_compared(_inputs(manifest), _inputs(again)),
            environment=_changed(manifest.environment, again.environment),
        )
    )


def _inputs(manifest: Manifest) -> dict[str, str]:
    return {each.name: each.digest.sha256 for each in manifest.dependencies}


def _compared(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[Comparison, ...]:
    names = sorted({*then, *now})
    return tuple(Comparison(name=name, then=then.get(name, "absent"), now=now.get(name, "absent")) for name in names)


def _changed(then: Environment, now: Environment) -> tuple[tuple[str, str, str], ...]:
    before, after = _flat(then.canonical()), _flat(now.canonical())
    names = sorted({*before, *after})
    return tuple(
        (name, before.get(name, "absent"), after.get(name, "absent"))
        for name in names
        if before.get(name) != after.get(name)
    )


def _flat(value: object, prefix: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        return {key: text for name, item in value.items() for key, text in _flat(item, f"{prefix}/{name}").items()}
    if isinstance(value, list):
        return {key: text for n, item in enumerate(value) for key, text in _flat(item, f"{prefix}/{n}").items()}
    return {prefix: str(value)}
