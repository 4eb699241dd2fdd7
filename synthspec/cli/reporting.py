"""`synthspec report`: the page of a finished run, made again from its signed files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import FORMAT, Format, show_findings, usage
from synthspec.cli.verified import verified

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
    from synthspec.report.page import run_page

    if not run.is_dir():
        raise usage(f"{run}: no such folder")
    said, statement = verified(run, key, "report")
    target = out or Path(f"{said.release.stream}.html")
    if target.absolute().resolve().is_relative_to(run.absolute().resolve()):
        raise usage("--out: the folder of a run is signed as it is, and a page added to it would no longer verify")
    page = run_page(said, statement.subjects, _signed(run, statement))
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
