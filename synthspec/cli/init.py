"""`synthspec init`: a folder with a spec and an SRef that validate, to start from."""

from __future__ import annotations

from pathlib import Path

import typer

from synthspec.cli.answer import usage


def init(
    folder: Path = typer.Argument(Path(), help="Where to put the files; made when it is not there."),
    name: str = typer.Option("my-digits", help="The name of the spec."),
) -> None:
    """Write a starting spec that trains on data everybody has, with every choice explained beside it."""
    import re

    from synthspec.cli.output import write_file
    from synthspec.cli.starter import FILES

    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,127}", name):
        raise usage(f"{name!r} is not a name: a letter, then letters, digits, '.', '_' or '-'")
    present = [file for file in FILES if (folder / file).exists()]
    if present:
        raise usage(f"{folder / present[0]} is there already; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in FILES.items():
        write_file(folder / file, text.replace("@NAME@", name).encode())
        typer.echo(f"wrote {folder / file}")
    typer.echo(f"next: synthspec validate {folder / 'spec.yaml'}")
