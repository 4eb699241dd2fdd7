"""`synthspec replay`: run a signed plan again in a fresh store and compare the bytes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import FORMAT, QUIET, Format, show_findings, usage
from synthspec.cli.running import SECRET, WORKERS, check_secret

if TYPE_CHECKING:
    from synthspec.pipeline.replaying import Comparison, Replay


def replay(
    manifest: Path = typer.Argument(..., help="manifest.sigstore.json, or the folder of a run."),
    base: Path = typer.Option(Path(), help="Where the relative paths of the plan start: the spec's folder."),
    key: list[Path] | None = typer.Option(None, "--key", help="A public key (PEM) to trust beside your own."),
    workers: int = WORKERS,
    secret: Path | None = SECRET,
    form: Format = FORMAT,
    quiet: bool = QUIET,
) -> None:
    """Verify, run the plan again from nothing, and compare weights and samples byte by byte."""
    from synthspec.ir.manifest import Manifest
    from synthspec.ir.plan import read_plan
    from synthspec.pipeline.contents import PLAN
    from synthspec.pipeline.replaying import replay_plan
    from synthspec.pipeline.running import KeyRefused, RunOptions
    from synthspec.pipeline.verifying import verify
    from synthspec.report.progress import progress_for

    if not manifest.exists():
        raise usage(f"{manifest}: no such file or folder")
    folder = manifest if manifest.is_dir() else manifest.parent
    checked = verify(manifest, tuple(key or ()))
    said = None if checked.statement is None else checked.statement.manifest
    if checked.statement is None or checked.refusals or said is None:
        for each in checked.refusals:
            typer.echo(f"refused[{each.code}]: {each.where}: {each.message}", err=True)
        typer.echo("replay: REFUSED: the manifest does not verify", err=True)
        raise typer.Exit(1)
    if not isinstance(said, Manifest):
        raise usage(
            "this is the public manifest: only the restricted one, which stays in the house, has what replay needs"
        )
    plan = read_plan((folder / PLAN).read_bytes())
    check_secret(secret, plan, folder)
    if said.privacy.mechanism != "none" and (secret is None or not secret.exists()):
        raise usage("the training had a privacy mechanism: only who holds its secret can replay it (--secret FILE)")
    options = RunOptions(store=folder, out=folder, base=base.absolute(), workers=workers, secret=secret)
    progress = progress_for(sys.stderr, quiet=quiet)
    try:
        done = replay_plan(said, folder, options, progress)
    except KeyRefused as error:
        raise usage(str(error)) from None
    finally:
        progress.close()
    if done.value is None:
        show_findings(done.diagnostics, 1, form)
        raise typer.Exit(1)
    _answer(done.value, form)
    if done.value.grade != "bitwise":
        raise typer.Exit(1)


def _answer(found: Replay, form: Format) -> None:
    if form is Format.json:
        files, inputs = _listed(found.files), _listed(found.inputs)
        changed = [{"fact": fact, "then": then, "now": now} for fact, then, now in found.environment]
        show_findings((), 1, form, grade=found.grade, results=files, inputs=inputs, environment=changed)
        return
    for file in (*found.files, *found.inputs):
        read = "" if file in found.files else "  (read)"
        typer.echo(f"{'same   ' if file.same else 'DIFFERS'}  {file.name}  {file.now[:16]}{read}")
    for fact, then, now in found.environment:
        typer.echo(f"environment {fact}: {then} then, {now} now")
    typer.echo(f"replay: {found.grade}")


def _listed(files: tuple[Comparison, ...]) -> list[dict[str, str | bool]]:
    return [{"name": file.name, "same": file.same, "then": file.then, "now": file.now} for file in files]
