"""From a plan to a folder that can be handed on: execute, judge, sign, write."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from synthspec.backend import artifacts
from synthspec.backend.discovery import installed
from synthspec.backend.protocol import Backend, Progress
from synthspec.backend.releases import PRIVACY_RECORD, RELEASED_BESIDE
from synthspec.diag import Outcome, failure
from synthspec.execute import CORE, Execution, NodeRun, execute, obstacles, problems
from synthspec.ir.canonical import canonical_bytes
from synthspec.ir.evidence import Evidence, Figure, evidence
from synthspec.ir.manifest import Manifest, readable
from synthspec.ir.manifest_engine import AuditEvidence, PrivateDataRef
from synthspec.ir.ops import Mark, Statistics
from synthspec.ir.plan import Plan, write_plan
from synthspec.ir.verdict import Verdicts
from synthspec.judge import judge, unpersisted
from synthspec.pipeline.consistency import dp_violations
from synthspec.pipeline.contents import EVIDENCE, PLAN, REPORT, SPEC, SREF, promises_of
from synthspec.pipeline.exporting import exported
from synthspec.pipeline.lineage import compared
from synthspec.pipeline.manifest import build_manifest, trace_of
from synthspec.pipeline.publishing import Salted, public_manifest, shown_of, write_public
from synthspec.pipeline.reserving import LedgerGuard
from synthspec.pipeline.resolved import resolved_text
from synthspec.pipeline.spending import Held, spending
from synthspec.pipeline.starting import unverified_start
from synthspec.pipeline.timepath import write_timepath
from synthspec.sign import Refusals, SigningKey, Subject, config_dir, development_key, sign, state_dir
from synthspec.sign.companions import companions
from synthspec.sign.memory import Numbered, Numbering, numbering
from synthspec.sign.names import BUNDLE, PUBLIC, READABLE
from synthspec.sign.refusal import Refused
from synthspec.sign.signing import payload_digest
from synthspec.store import Store
from synthspec.store.folder import check_replaceable, replace_folder
from synthspec.watermark import DEFAULT, key_path, make_key

Page = Callable[[Manifest, Sequence[Subject], Callable[[str], bytes]], bytes]
"""Shows a run to people: from its manifest, its files and what is in a file of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to run, as far as it changes no byte of the result."""

    store: Path
    out: Path
    """The folder of the finished run."""
    base: Path
    """Where relative paths of the plan start."""
    workers: int = 1
    batch: int | None = None
    """Records that a worker takes at a time, a multiple of `sampling.block`; None: one block."""
    secret: Path | None = None
    """Where the secret seeds of a mechanism are kept; None: nobody keeps them, and nobody can replay the training."""
    key: SigningKey | None = None
    """None: the development key, made on first use."""
    state: Path | None = None
    """Where the numbers of releases are remembered; None: this run is no release, and is numbered 1."""
    ledger: str | None = None
    """URL of the ledger that a training under a mechanism is entered in; None: what it releases stays in this house."""
    place: Numbered | None = None
    """The number of this release, when it does not follow from what this machine remembers."""
    audited: AuditEvidence | None = None
    """What an audit of the mechanism found before the run; it goes into the manifest."""
    page: Page | None = None
    """Makes ``report.html``, which is signed with the rest; None: the folder has no page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A finished run. `manifest.verdict` says whether the gate is open."""

    folder: Path
    manifest: Manifest
    verdicts: Verdicts
    execution: Execution


class KeyRefused(Exception):  # noqa: N818 - it carries an answer to the user
    """The signing key cannot be used."""

    def __init__(self, refusals: Refusals) -> None:
        super().__init__("; ".join(f"{each.code}: {each}" for each in refusals))


def backends() -> Mapping[str, Backend]:
    """The installed backends and the core."""
    return {**installed(), CORE.name: CORE}


def run_plan(
    plan: Plan, options: RunOptions, progress: Progress, on_node: Callable[[NodeRun], None] = lambda _: None
) -> Outcome[RunResult]:
    """Run `plan` and leave a signed folder, whatever the verdicts.

    What no backend supports leaves nothing at all behind, not even an empty store.
    Raises KeyRefused, StoreError, OSError, and ValueError for a batch that cuts blocks; then nothing was written at
    ``options.out``, and the store keeps what is done.
    """
    available = backends()
    if problems(plan, available):
        return failure(obstacles(plan, available, options.base, mark_keys(plan)))
    if unbelieved := unverified_start(plan, options.base):
        return failure(unbelieved)
    check_replaceable(options.out.absolute(), BUNDLE)
    key = options.key or _development_key()
    with Store(options.store) as store, guarded(plan, options.ledger, options.state or state_dir()) as guard:
        executed = execute(
            plan,
            available,
            store,
            root=options.base,
            workers=options.workers,
            batch=options.batch,
            progress=progress,
            on_node=on_node,
            secret=options.secret,
            guard=guard,
            keys=mark_keys(plan),
        )
        if executed.value is None:
            return failure(executed.diagnostics)
        held = None if guard is None else guard.held
        found = gather(plan, executed.value, held)
        verdicts = judge(promises_of(plan), found)
        made = _Made(plan, executed.value, found, verdicts, held)
        try:
            with replace_folder(options.out, BUNDLE) as folder:
                _write_parts(folder, plan, executed.value, found, store)
                manifest = _signed(folder, made, options, key, guard)
        except Refused as refused:
            raise KeyRefused(refused.refusals) from None
    result = RunResult(folder=options.out, manifest=manifest, verdicts=verdicts, execution=executed.value)
    return Outcome(result, executed.diagnostics)


@dataclass(frozen=True, slots=True)
class _Made:
    """What a manifest is made of."""

    plan: Plan
    execution: Execution
    found: Evidence
    verdicts: Verdicts
    held: Held | None


def _signed(folder: Path, made: _Made, options: RunOptions, key: SigningKey, guard: LedgerGuard | None) -> Manifest:
    """Sign what lies in `folder`, number it, and tell the ledger. Raises Refused where a key in a device fails."""
    subjects = _subjects(folder)
    with _numbers(options, key) as numbers:
        trace = trace_of(made.plan, made.execution)
        place = options.place or numbers.following(made.plan.name, trace)
        private = _private(made.plan, made.execution)
        manifest = build_manifest(
            made.plan,
            made.execution,
            made.found,
            made.verdicts,
            subjects,
            key,
            place,
            made.held,
            private,
            options.audited,
        )
        subjects = _added(folder, subjects, companions(manifest, subjects, key))
        public = None if private is None else public_manifest(made.plan, manifest, numbers)
        told, files = (manifest, subjects) if public is None else (public, shown_of(made.plan, subjects))
        subjects = _added(folder, subjects, exported(made.plan, told, files))
        subjects = _paged(options.page, folder, manifest, subjects)
        if public is not None:
            write_public(folder, public, shown_of(made.plan, subjects), key, numbers, trace)
            subjects = (*subjects, *(_subject(folder / name, folder) for name in (PUBLIC.bundle, PUBLIC.readable)))
        (folder / READABLE).write_bytes(readable(manifest))
        (folder / BUNDLE).write_bytes(sign(manifest, subjects, key))
        numbers.remember(manifest.release, trace, payload_digest(manifest, subjects))
        if guard is not None:
            guard.publish(payload_digest(manifest, subjects))
    return manifest


def mark_keys(plan: Plan) -> Path:
    """The folder of the keys of marks; the default one is made on first use, as the development key is."""
    folder = config_dir() / "watermark"
    wanted = [node.op.key for node in plan.nodes if isinstance(node.op, Mark)]
    if DEFAULT in wanted and not key_path(folder, DEFAULT).exists():
        make_key(key_path(folder, DEFAULT))
    return folder


def _private(plan: Plan, execution: Execution) -> PrivateDataRef | None:
    """A salted commitment to the data of a run under a mechanism."""
    if plan.private is None:
        return None
    return Salted.of(execution.node("bind").record.digest).entry()


@contextmanager
def guarded(plan: Plan, ledger: str | None, state: Path) -> Iterator[LedgerGuard | None]:
    """What asks the ledger at the URL `ledger` before a private training; meters of trainings under way lie in `state`."""
    guard = LedgerGuard(plan, ledger, state) if ledger else None
    try:
        yield guard
    finally:
        if guard is not None:
            guard.close()


def gather(plan: Plan, execution: Execution, held: Held | None = None) -> Evidence:
    """All figures of a run: what was measured, and whether what P405-8 asks for stands in the plan."""
    measured = artifacts.read_figures(execution.node("measure").artifact.path(artifacts.FIGURES))
    spent = _spent(plan, execution, held, measured)
    return evidence((*measured, *compared(plan, execution), *spent, unpersisted(plan)))


def _spent(plan: Plan, execution: Execution, held: Held | None, measured: tuple[Figure, ...]) -> tuple[Figure, ...]:
    found = spending(plan, execution, held)
    if found is None:
        return ()
    risk = next((figure for figure in measured if figure.name == "MI"), None)
    return (*found.figures(), dp_violations(risk, found))


@contextmanager
def _numbers(options: RunOptions, key: SigningKey) -> Iterator[Numbering]:
    if options.state is None:
        yield Numbering({}, key.key_id)
        return
    with numbering(options.state, key.key_id) as numbers:
        yield numbers


def _development_key() -> SigningKey:
    key = development_key(config_dir())
    if not isinstance(key, SigningKey):
        raise KeyRefused(key)
    return key


def _write_parts(folder: Path, plan: Plan, execution: Execution, found: Evidence, store: Store) -> None:
    from synthspec.pipeline.overview import OVERVIEW, overview_of  # numpy: a run that is refused does not need it

    # Where the plan file lay is a fact of one machine, and none of this folder.
    (folder / PLAN).write_bytes(write_plan(replace(plan, base="")))
    (folder / SPEC).write_text(resolved_text(plan.spec), encoding="utf-8")
    (folder / SREF).write_text(resolved_text(plan.sref), encoding="utf-8")
    (folder / EVIDENCE).write_bytes(canonical_bytes(found))
    for node in execution.nodes:
        if node.op in ("fit", "accelerate", "export"):
            store.materialise(node.record, folder)
    (folder / artifacts.FIT_REPORT).unlink(missing_ok=True)
    _write_released(folder, plan, execution)
    write_timepath(folder, execution)
    (folder / OVERVIEW).write_bytes(canonical_bytes(overview_of(plan, execution)))


def _write_released(folder: Path, plan: Plan, execution: Execution) -> None:
    """The noisy statistics, and the record of their release: beside that of a training where there is one."""
    for node in (execution.node(each.id) for each in plan.nodes if isinstance(each.op, Statistics)):
        record = RELEASED_BESIDE if (folder / PRIVACY_RECORD).exists() else PRIVACY_RECORD
        shutil.copyfile(node.artifact.path(PRIVACY_RECORD), folder / record)
        shutil.copyfile(node.artifact.path(artifacts.VECTORS), folder / artifacts.VECTORS)


def _paged(page: Page | None, folder: Path, manifest: Manifest, subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
    """`subjects` and the page that is made of them."""
    if page is None:
        return subjects
    (folder / REPORT).write_bytes(page(manifest, subjects, lambda name: (folder / name).read_bytes()))
    return (*subjects, _subject(folder / REPORT, folder))


def _added(folder: Path, subjects: tuple[Subject, ...], files: Mapping[str, bytes]) -> tuple[Subject, ...]:
    """`subjects` and the `files`, which are written into `folder`."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return (*subjects, *(_subject(folder / name, folder) for name in sorted(files)))


def _subjects(folder: Path) -> tuple[Subject, ...]:
    """Every file below `folder`, measured and hashed."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(_subject(path, folder) for path in files)


def _subject(path: Path, folder: Path) -> Subject:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Subject(name=path.relative_to(folder).as_posix(), sha256=digest, size=path.stat().st_size)
