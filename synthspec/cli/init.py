"""`synthspec init`: a folder with a spec and an SRef: ones that validate, to start from, or drafted from a table."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import typer

from synthspec.cli.answer import OUTSIDE, usage
from synthspec.cli.starter import FILES

Family = Literal["flow", "vae", "gan", "diffusion"]


def init(
    folder: Path = typer.Argument(Path(), help="Where to put the files; made when it is not there."),
    name: str | None = typer.Option(None, help="The name of the spec."),
    table: str | None = typer.Option(
        None, "--from", metavar="DATA", help="Draft both files from this csv, jsonl, parquet, arrow or npz table."
    ),
    family: Family | None = typer.Option(None, help="With --from: the family of the engine; without a word, flow."),
    target: str | None = typer.Option(None, metavar="FIELD", help="With --from: the field that TSTR predicts."),
    key: str | None = typer.Option(None, metavar="FIELD", help="With --from: the field that names the records."),
    root: Path | None = typer.Option(
        None,
        metavar="DIR",
        help="With --from: let specs below DIR, a folder above both, name what lies there; writes DIR/synthspec.toml.",
    ),
    allow_outside: bool = OUTSIDE,
) -> None:
    """Write a starting spec: on data everybody has, with every choice explained beside it, or drafted --from your own."""
    if name is not None and not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,127}", name):
        raise usage(f"{name!r} is not a name: a letter, then letters, digits, '.', '_' or '-'")
    present = [file for file in FILES if (folder / file).exists()]
    if present:
        raise usage(f"{folder / present[0]} is there already; nothing was written")
    if table is None:
        for option, value in (("--family", family), ("--target", target), ("--key", key), ("--root", root)):
            if value is not None:
                raise usage(f"{option} is about the table that --from names")
        _write(folder, {file: text.replace("@NAME@", name or "my-digits") for file, text in FILES.items()})
        typer.echo(f"next: synthspec validate {shlex.quote(str(folder / 'spec.yaml'))}")
        return
    from synthspec.cli.drafting import draft_from, marks, new_root, say_next

    within = None if root is None else new_root(root, folder)
    made = draft_from(
        table, folder, within, name or "", family or "flow", target or "", key or "", outside=allow_outside
    )
    if root is not None:
        _write(root, marks(root))
    _write(folder, made.files)
    say_next(made, folder, outside=allow_outside)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    from synthspec.cli.output import write_file

    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        write_file(folder / file, text.encode())
        typer.echo(f"wrote {folder / file}")
