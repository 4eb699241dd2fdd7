"""`synthspec run`: make the data, measure, judge, sign."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import (
    FORMAT,
    OUTSIDE,
    QUIET,
    SET,
    Format,
    existing_file,
    overrides,
    show_findings,
    usage,
)
from synthspec.cli.signer import PASSPHRASE, signing_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from synthspec.execute import NodeRun
    from synthspec.ir.manifest import Manifest
    from synthspec.ir.plan import Plan
    from synthspec.pipeline.running import RunResult
    from synthspec.sign import Subject
    from synthspec.sign.memory import Numbered

STORE = typer.Option(
    Path(".synthspec/store"), "--store", envvar="SYNTHSPEC_STORE", help="Where finished nodes are kept and found again."
)
WORKERS = typer.Option(1, "--workers", min=1, max=256, help="Blocks sampled at a time. It changes no byte.")
BATCH = typer.Option(
    None,
    "--batch",
    min=1,
    metavar="N",
    help="Records that a worker takes at a time: a multiple of sampling.block, which is the default. It changes no byte.",
)


SECRET = typer.Option(
    None,
    "--secret",
    metavar="FILE",
    help="Where the secret seeds of a privacy mechanism are kept, mode 0600; made when there is none. "
    "Whoever holds it can replay the training, and take its noise away.",
)


def run(
    source: Path = typer.Argument(..., metavar="SPEC|PLAN", help="An EngineSpec, or a plan made by compile."),
    out: Path | None = typer.Option(
        None, "--out", "-o", help="The folder of this run; default runs/<name>-<plan digest>."
    ),
    changes: list[str] | None = SET,
    store: Path = STORE,
    workers: int = WORKERS,
    batch: int | None = BATCH,
    key: str | None = typer.Option(
        None, help="The private key that signs, by name, file or URI of a device; default the development key."
    ),
    passphrase_fd: int | None = PASSPHRASE,
    previous: Path | None = typer.Option(
        None, help="The release before this one, when another machine signed it; this one is numbered after it."
    ),
    secret: Path | None = SECRET,
    audit: bool = typer.Option(
        False, "--audit", help="Audit the privacy mechanism first; a defect stops the run, the evidence is signed."
    ),
    allow_outside: bool = OUTSIDE,
    form: Format = FORMAT,
    quiet: bool = QUIET,
) -> None:
    """Train, sample, enforce, measure, judge and sign. Exit 1 when a block contract is not held; signed either way."""
    from synthspec.cli.auditing import evidence
    from synthspec.pipeline.reserving import ledger_url
    from synthspec.pipeline.running import RunOptions
    from synthspec.sign import state_dir

    signer = None if key is None else signing_key(key, passphrase_fd)
    plan, base = _plan(existing_file(source), overrides(changes), allow_outside=allow_outside, form=form)
    folder = out or Path("runs") / f"{plan.name}-{plan.digest[:12]}"
    check_secret(secret, plan, folder)
    check_batch(batch, plan)
    options = RunOptions(
        store=store,
        audited=evidence(plan, form, quiet=quiet) if audit else None,
        out=folder,
        base=base,
        workers=workers,
        batch=batch,
        secret=secret,
        key=signer,
        state=state_dir(),
        ledger=ledger_url(state_dir()),
        place=None if previous is None else after(previous, plan.name),
        page=_page,
    )
    result = _run(plan, options, form, quiet=quiet)
    _answer(result, form)
    if result.manifest.verdict != "PASS":
        raise typer.Exit(1)


def check_secret(secret: Path | None, plan: Plan, folder: Path) -> None:
    """Exit 2 for a file of secrets that would end up in `folder`, or that `plan` has no use for."""
    if secret is None:
        return
    if plan.spec.privacy is None or plan.spec.privacy.mechanism in (None, "none"):
        raise usage("--secret is for a privacy mechanism, and this plan has none")
    if secret.absolute().resolve().is_relative_to(folder.absolute().resolve()):
        raise usage("--secret: the file must lie outside the folder of the run, which is handed on")


def check_batch(batch: int | None, plan: Plan) -> None:
    """Exit 2 for a batch that cuts the blocks of `plan`."""
    from synthspec.execute import unaligned

    if reason := unaligned(plan, batch):
        raise usage(f"--batch: {reason}")


def _plan(
    source: Path, changes: tuple[tuple[str, str], ...], *, allow_outside: bool, form: Format
) -> tuple[Plan, Path]:
    """The plan, and the folder that its relative paths start from."""
    if source.suffix == ".json":
        import json

        from pydantic import ValidationError

        from synthspec.ir.plan import changed_parts, read_plan

        if changes:
            raise usage("--set changes a spec; a plan is fixed: compile again with --set")
        data = source.read_bytes()
        try:
            plan = read_plan(data)
        except ValidationError:
            raise usage(f"{source} is not a plan that this version reads; compile the spec again") from None
        if changed := changed_parts(json.loads(data)):
            parts = ", ".join(changed)
            raise usage(f"{source} was changed since it was compiled ({parts}): change the spec and compile it again")
        return plan, source.absolute().parent / plan.base
    from synthspec.cli.planning import plan_of

    return plan_of(source, changes, allow_outside=allow_outside, form=form), source.absolute().parent


def _page(manifest: Manifest, subjects: Sequence[Subject], read: Callable[[str], bytes]) -> bytes:
    """The page of a run: loaded when there is one to show."""
    from synthspec.report.page import run_page

    return run_page(manifest, subjects, read)


def after(previous: Path, stream: str) -> Numbered:
    """The place in `stream` after the release at `previous`, which must verify; or exit 2 with the reason."""
    from synthspec.pipeline.verifying import verify
    from synthspec.sign.memory import Numbered

    found = verify(previous)
    if found.statement is None or found.refusals:
        raise usage("; ".join(f"--previous: {each.code}: {each}" for each in found.refusals))
    release = found.statement.manifest.release
    if release.stream != stream:
        raise usage(f"--previous is a release of {release.stream}, not of {stream}")
    return Numbered(release.sequence + 1, found.statement.digest)


def _run(plan: Plan, options: object, form: Format, *, quiet: bool) -> RunResult:
    from synthspec.pipeline.running import KeyRefused, RunOptions, run_plan
    from synthspec.report.progress import progress_for
    from synthspec.store import StoreError

    assert isinstance(options, RunOptions)  # noqa: S101 - imported late to keep the program's start fast
    progress = progress_for(sys.stderr, quiet=quiet)

    def told(node: NodeRun) -> None:
        if not quiet:
            typer.echo(node.line, err=True)

    try:
        done = run_plan(plan, options, progress, told)
    except (StoreError, KeyRefused) as error:
        raise usage(f"{error}{f' ({error.help})' if isinstance(error, StoreError) else ''}") from None
    finally:
        progress.close()
    if done.value is None:
        show_findings(done.diagnostics, 1, form)
        raise typer.Exit(1)
    return done.value


def _answer(result: RunResult, form: Format) -> None:
    written = sorted(path.relative_to(result.folder).as_posix() for path in result.folder.rglob("*") if path.is_file())
    if form is Format.json:
        from synthspec.ir.manifest_evidence import from_verdicts

        contracts = [entry.canonical() for entry in from_verdicts(result.verdicts)]
        nodes = [{"node": n.node, "reused": n.reused, "seconds": round(n.seconds, 3)} for n in result.execution.nodes]
        show_findings(
            (),
            1,
            form,
            gate="pass" if result.manifest.verdict == "PASS" else "fail",
            folder=str(result.folder),
            paths=[str(result.folder / name) for name in written],
            contracts=contracts,
            nodes=nodes,
        )
        return
    from synthspec.report.style import style_for
    from synthspec.report.verdict_table import verdict_table

    typer.echo(f"wrote {result.folder}: {', '.join(written)}")
    typer.echo("")
    typer.echo(
        verdict_table(result.verdicts.records, result.verdicts.gate, style_for(sys.stdout)), nl=False, color=True
    )
