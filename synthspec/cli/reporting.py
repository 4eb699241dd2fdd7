"""`synthspec report`: the page of a finished run, made again from its signed files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import FORMAT, Format, show_findings, usage

if TYPE_CHECKING:
    from synthspec.report.page.shown import Reader
    from synthspec.sign import VerifiedStatement


def report(
    run: Path = typer.Argument(..., metavar="RUN", help="The folder of a run."),
    out: Path | None = typer.Option(
        None,
        "--out",
        "-o",
        metavar="FILE",
        help="Where the page goes; default NAME.html here, outside the signed folder.",
    ),
    key: list[Path] | None = typer.Option(None, "--key", help="A public key (PEM) to trust beside your own."),
    form: Format = FORMAT,
) -> None:
    """Verify a run, then write the page that shows it. Exit 1 when it does not verify: nothing is written then."""
    from synthspec.cli.output import write_file
    from synthspec.ir.manifest import Manifest
    from synthspec.pipeline.verifying import verify
    from synthspec.report.page import run_page

    if not run.is_dir():
        raise usage(f"{run}: no such folder")
    checked = verify(run, tuple(key or ()))
    said = None if checked.statement is None else checked.statement.manifest
    if checked.statement is None or checked.refusals or said is None:
        for each in checked.refusals:
            typer.echo(f"refused[{each.code}]: {each.where}: {each.message}", err=True)
        typer.echo("report: REFUSED: the manifest does not verify", err=True)
        raise typer.Exit(1)
    if not isinstance(said, Manifest):
        raise usage(
            "this is the public manifest: only the restricted one, which stays in the house, has what report needs"
        )
    target = out or Path(f"{said.release.stream}.html")
    if target.absolute().resolve().is_relative_to(run.absolute().resolve()):
        raise usage("--out: the folder of a run is signed as it is, and a page added to it would no longer verify")
    page = run_page(said, checked.statement.subjects, _signed(run, checked.statement))
    write_file(target, page)
    if form is Format.json:
        show_findings((), 1, form, paths=[os.fspath(target)])
    else:
        typer.echo(f"wrote {target}")


def _signed(folder: Path, statement: VerifiedStatement) -> Reader:
    """Reads files of `folder`, each held once more against what was signed: it may have changed since."""
    digests = {subject.name: subject.sha256 for subject in statement.subjects}

    def read(name: str) -> bytes:
        data = (folder / name).read_bytes()
        if hashlib.sha256(data).hexdigest() != digests[name]:
            raise usage(f"{folder / name} changed while it was read")
        return data

    return read
