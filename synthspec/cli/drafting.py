"""What `init --from` does: where the table lies as seen from the spec, the draft, and what to do with it."""

from __future__ import annotations

import os
import re
import shlex
import unicodedata
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import existing_file, show_problems, usage
from synthspec.diag import Diagnostic
from synthspec.resolve import find_root
from synthspec.resolve.paths import BadPath
from synthspec.resolve.roots import MARKER
from synthspec.resolve.sources import SKLEARN, find_source

if TYPE_CHECKING:
    from synthspec.draft.making import Draft
    from synthspec.spec.engine import Family

_MOST_SAID = 8
_LARGE = 1 << 25
"""Bytes of a table from which on it takes long enough to say so."""
_MARK = "# The specs below may name files in this folder and below, and no others.\n"


def new_root(root: Path, folder: Path) -> Path:
    """`root` as what specs in `folder` may name files under, once it is marked; exit 2 where it cannot be, or may not."""
    real, there = root.resolve(), folder.resolve()
    if not root.is_dir():
        raise usage(f"--root {root}: no such folder")
    if not there.is_relative_to(real):
        raise usage(f"--root {root}: {folder} does not lie in it; name a folder above both the spec and the table")
    if _everything(real):
        raise usage(
            f"--root {root}: it holds all that is yours, and every spec below could name it; name a nearer folder, or copy "
            "the table there"
        )
    nearer = find_root(folder / "spec.yaml")
    if nearer != real and nearer.is_relative_to(real) and (nearer / MARKER).exists():
        raise usage(f"--root {root}: {nearer / MARKER} is nearer to {folder}, and counts")
    return real


def marks(root: Path) -> Mapping[str, str]:
    """The file that makes `root` the root of the specs below; none where it is there."""
    return {} if (root / MARKER).exists() else {MARKER: _MARK}


def draft_from(
    table: str, folder: Path, root: Path | None, name: str, family: Family, target: str, key: str, *, outside: bool
) -> Draft:
    """The draft for `table` of a spec in `folder`; exit 2 with what is wrong where there can be none.

    `root` is what it will lie under, where that is not how things are.
    """
    source = _source(table, folder, root or find_root(folder / "spec.yaml"), outside=outside)
    from importlib.util import find_spec

    if find_spec("numpy") is None:
        raise usage("reading a table needs numpy; run: pip install 'synthspec[data]'")
    from synthspec.draft.making import Asked, draft

    if not table.startswith(SKLEARN) and Path(table).stat().st_size >= _LARGE:
        typer.echo(f"looking at every record of {table} once; that takes a while", err=True)
    asked = Asked(name=name or _named(table), table=table, source=source, family=family, target=target, key=key)
    found = draft(asked)
    if found.value is None:
        show_problems(found.diagnostics)
        raise typer.Exit(2)
    return found.value


def say_next(made: Draft, folder: Path, *, outside: bool) -> None:
    """Tell what was left out, and what is next."""
    for each in made.left_out[:_MOST_SAID]:
        example = f" ({each.example})" if each.example else ""
        typer.echo(f"left out {each.column!r}: {each.why}{example}")
    if len(made.left_out) > _MOST_SAID:
        typer.echo(f"left out {len(made.left_out) - _MOST_SAID} more: {folder / 'data.sref.yaml'} says why")
    option = " --allow-outside" if outside else ""
    typer.echo("this is a draft: ranges and enums are yours to correct, units and thresholds yours to state")
    typer.echo(f"next: synthspec validate {shlex.quote(str(folder / 'spec.yaml'))}{option}")


def _named(table: str) -> str:
    """A name for the spec: that of the table."""
    stem = table.removeprefix(SKLEARN) if table.startswith(SKLEARN) else PurePosixPath(table).stem
    latin = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", latin).lstrip("-_.0123456789")[:100] or "my-data"


def _source(table: str, folder: Path, root: Path, *, outside: bool) -> str:
    """How a spec in `folder` names `table`; exit 2 where there is none, or where a spec there may not name it."""
    there, written = folder.resolve(), table
    if not table.startswith(SKLEARN):
        place = existing_file(Path(table))
        place = place.parent.resolve() / place.name
        if not (outside or place.resolve().is_relative_to(root)):
            show_problems([_outside(table, folder, root)])
            raise typer.Exit(2)
        written = Path(os.path.relpath(place, there)).as_posix()
    try:
        # From where the spec will lie, or the nearest folder above that is there already.
        base = next(each for each in (there, *there.parents) if each.is_dir())
        seen = written if table.startswith(SKLEARN) else Path(os.path.relpath(there / written, base)).as_posix()
        find_source(seen, base, root, allow_outside=outside)
    except BadPath as fault:
        show_problems([Diagnostic(code=fault.code, message=fault.message, help=fault.help)])
        raise typer.Exit(2) from None
    return written


def _outside(table: str, folder: Path, root: Path) -> Diagnostic:
    """The refusal of a table beyond the root, with the ways to reach it: what is safest comes first."""
    place, beside = Path(table).resolve().parent, Path(table).parent
    ways = [f"draft beside it: synthspec init {shlex.quote(str(beside))} --from {shlex.quote(table)}"]
    above = Path(os.path.commonpath([place, folder.resolve()]))
    if not _everything(above):
        shown = shlex.quote(os.path.relpath(above))
        ways.append(
            f"or add --root {shown} to this command: it writes {MARKER} there, and specs below may name what lies there"
        )
    ways.append("or pass --allow-outside here and to every verb")
    message = f"{table} lies outside of {root}, and a spec in {folder} may name nothing there"
    return Diagnostic(code="schema.path-escape", message=message, help="; ".join(ways))


def _everything(folder: Path) -> bool:
    """Whether `folder` holds a whole home, or more: what is marked as the root of specs is what they may name."""
    return folder == Path(folder.anchor) or Path.home().resolve().is_relative_to(folder)
