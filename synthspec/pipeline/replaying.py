"""Running a signed plan again and comparing what comes out (C40-519)."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from synthspec.backend.protocol import DataError, Identity, Progress
from synthspec.backend.secret import kept, secret_of
from synthspec.diag import Outcome, failure
from synthspec.ir.manifest import Manifest
from synthspec.ir.manifest_origin import Environment
from synthspec.ir.ops import Fit, Statistics
from synthspec.ir.plan import Plan, read_plan
from synthspec.pipeline.agreement import Gap, gap_between
from synthspec.pipeline.contents import PLAN, result_digests
from synthspec.pipeline.grading import TOLERANCE, Grade, Stand, stands, turned
from synthspec.pipeline.running import RunOptions, run_plan

ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One file by its SHA-256, then and now."""

    name: str
    then: str
    now: str
    gap: Gap | None = None
    """How far apart the contents are, where the bytes differ and both files are there."""

    @property
    def same(self) -> bool:
        return self.then == self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a replay gave, file by file and figure by figure; every environment fact that changed is listed.

    Equal results of other data would prove nothing, so what was read counts as well.
    """

    files: tuple[Comparison, ...]
    inputs: tuple[Comparison, ...]
    """What was read from outside the plan."""
    environment: tuple[tuple[str, str, str], ...]
    """(fact, then, now)."""

    figures: tuple[Stand, ...] = ()
    """What the contracts were judged by."""
    turned: tuple[str, ...] = ()
    """Contracts that came out otherwise."""
    tolerance: float = TOLERANCE

    @property
    def equal(self) -> bool:
        """Whether the same was read, and every byte came out again."""
        return bool(self.files) and all(file.same for file in (*self.files, *self.inputs))

    @property
    def grade(self) -> Grade:
        """The best of: ``bitwise`` (all bytes are equal, and so is every fact of the environment), ``numeric`` (every
        number is within the tolerance, the rest equal), ``statistical`` (every figure lies in the signed interval and
        every contract comes out as signed).

        Bytes that are equal in another environment are luck as far as anybody has shown: that is numeric, no more.
        """
        if not self.files or not all(read.same for read in self.inputs):
            return "differs"
        if self.equal and not self.environment:
            return "bitwise"
        if all(file.same or (file.gap is not None and file.gap.within(self.tolerance)) for file in self.files):
            return "numeric"
        holds = self.figures and all(figure.within for figure in self.figures) and not self.turned
        return "statistical" if holds else "differs"


def replay_plan(
    manifest: Manifest, folder: Path, options: RunOptions, progress: Progress, tolerance: float = TOLERANCE
) -> Outcome[Replay]:
    """Run the plan in `folder`, which `manifest` belongs to, in a fresh store, and compare weights, samples and figures.

    `tolerance` is how far a number may be from the signed one, in units of the range of its array. The caller has verified
    `folder`. ``options.store`` and ``options.out`` are replaced by temporary ones.
    """
    plan = read_plan((folder / PLAN).read_bytes())
    with tempfile.TemporaryDirectory(prefix="synthspec-replay-") as scratch:
        fresh = replace(options, store=Path(scratch) / "store", out=Path(scratch) / "run")
        done = run_plan(plan, fresh, progress)
        if done.value is None:
            return failure(done.diagnostics)
        again = done.value.manifest
        files = _compared(result_digests(manifest), result_digests(again))
        files = tuple(_measured(each, folder, done.value.folder) for each in files)
    return Outcome(
        Replay(
            files=files,
            inputs=_compared(_inputs(manifest), _inputs(again)),
            environment=_changed(manifest.environment, again.environment),
            figures=stands(manifest, again),
            turned=turned(manifest, again),
            tolerance=tolerance,
        )
    )


def unopened(manifest: Manifest, plan: Plan, secret: Path) -> str:
    """Why the file `secret` holds not what the run of `plan` was made with; empty where it opens what `manifest` commits to.

    A missing one would be made, another one would make other noise: all would differ, and nobody would be told why.
    """
    keys = {node.node: node.key for node in manifest.dag}
    spent = manifest.privacy.dp
    committed = {
        *(() if spent is None else (spent.seed_commitment, *(each.commitment for each in spent.statistics or ())))
    }
    for node in plan.nodes:
        if not isinstance(node.op, Fit | Statistics) or node.op.privacy.mechanism in {None, "none"}:
            continue
        path = secret_of(node.op, secret)
        try:
            found = kept(path, Identity(keys[node.id], {}))
        except DataError as error:
            return f"{error.message} ({error.help})"
        if found is None:
            beside = "" if path == secret else ": the statistics beside the training have a secret of their own"
            return f"{path.name} is not there{beside}"
        if found.commitment not in committed:
            return f"{path.name} is not what {node.id!r} was made with: it does not open the commitment in the manifest"
    return ""


def _measured(file: Comparison, then: Path, now: Path) -> Comparison:
    """`file` with how far its contents are apart."""
    if file.same or ABSENT in (file.then, file.now):
        return file
    return replace(file, gap=gap_between(then / file.name, now / file.name))


def _inputs(manifest: Manifest) -> dict[str, str]:
    return {each.name: each.digest.sha256 for each in manifest.dependencies}


def _compared(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[Comparison, ...]:
    names = sorted({*then, *now})
    return tuple(Comparison(name=name, then=then.get(name, ABSENT), now=now.get(name, ABSENT)) for name in names)


def _changed(then: Environment, now: Environment) -> tuple[tuple[str, str, str], ...]:
    before, after = _flat(then.canonical()), _flat(now.canonical())
    names = sorted({*before, *after})
    return tuple(
        (name, before.get(name, ABSENT), after.get(name, ABSENT))
        for name in names
        if before.get(name) != after.get(name)
    )


def _flat(value: object, prefix: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        return {key: text for name, item in value.items() for key, text in _flat(item, f"{prefix}/{name}").items()}
    if isinstance(value, list):
        return {key: text for n, item in enumerate(value) for key, text in _flat(item, f"{prefix}/{n}").items()}
    return {prefix: str(value)}
