"""`synthspec release`: a run that holds its contracts into a folder named by its content, and back to the one before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import FORMAT, Format, show_findings, usage

if TYPE_CHECKING:
    from synthspec.pipeline.releasing import Released


def release(
    run: str = typer.Argument(
        ..., metavar="RUN|rollback", help="The folder of a run; or 'rollback' (a folder: ./rollback)."
    ),
    stream: Path | None = typer.Argument(None, help="With 'rollback': the folder of the stream, FOLDER/STREAM."),
    to: str | None = typer.Option(
        None, "--to", help="The folder of releases; with 'rollback' the release to go back to."
    ),
    key: list[Path] | None = typer.Option(None, "--key", help="A public key (PEM) to trust beside your own."),
    form: Format = FORMAT,
) -> None:
    """Copy a run that verifies and holds its contracts to FOLDER/STREAM/NUMBER-DIGEST, and let 'current' point to it.

    Of a run under a mechanism the public half alone. 'release rollback FOLDER/STREAM' points to the release before. Exit
    0: done. 1: refused, with nothing changed. 2: nothing to read, or a folder that cannot be written.
    """
    from synthspec.pipeline.releasing import Released, rollback
    from synthspec.pipeline.releasing import release as put

    keys = tuple(key or ())
    if run == "rollback":
        if stream is None:
            raise usage("rollback takes the folder of a stream: synthspec release rollback FOLDER/STREAM")
        done = rollback(stream, to, keys)
    else:
        if stream is not None:
            raise usage("release takes one run at a time")
        if not to:
            raise usage("say where releases lie: --to FOLDER")
        if not Path(run).exists():
            raise usage(f"{run}: no such file or folder")
        done = put(Path(run), Path(to), keys)
    if not isinstance(done, Released):
        for each in done:
            typer.echo(f"refused[{each.code}]: {each}", err=True)
        typer.echo("release: REFUSED: nothing was changed", err=True)
        raise typer.Exit(2 if all(each.code == "IO" for each in done) else 1)
    _answer(done, form)


def _answer(done: Released, form: Format) -> None:
    if form is Format.json:
        before = None if done.previous is None else str(done.previous)
        more = {"release": str(done.folder), "previous": before, "signed_files": done.files, "fresh": done.fresh}
        show_findings((), 1, form, **more)
        return
    before = "" if done.previous is None else f"; before it: {done.previous.name}"
    typer.echo(f"current: {done.folder.name}, {done.files} signed files verified{before}", err=True)
    typer.echo(str(done.folder))
