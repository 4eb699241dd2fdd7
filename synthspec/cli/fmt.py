"""`synthspec fmt`: documents in one order and one spelling, their comments where they belong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import QUIET, show_problems, usage

if TYPE_CHECKING:
    from synthspec.pipeline.front import Spot
    from synthspec.rewrite import Formatted


def fmt(
    paths: list[str] = typer.Argument(..., help="Files, folders or globs; '-' formats stdin to stdout."),
    check: bool = typer.Option(False, "--check", help="Write nothing; exit 1 when a file would change."),
    diff: bool = typer.Option(False, "--diff", help="Write nothing; print what would change, and exit 1 if anything."),
    stdin_filename: Path = typer.Option(Path("spec.yaml"), help="Where a spec read from stdin would lie."),
    quiet: bool = QUIET,
) -> None:
    """Put keys in the order of the language and quantities in one spelling. Comments stay; the meaning stays.

    The names that you chose (conditions, aliases) keep your order, and so does a mapping in braces with comments between its
    entries. A file that cannot be understood is left alone, its findings are printed, and the exit code is 1.
    """
    from synthspec.cli.paths import spots
    from synthspec.rewrite import formatted

    places = spots(paths, stdin_filename)
    if check and diff:
        raise usage("choose one of --check and --diff")
    changed = failed = 0
    for place in places:
        outcome = formatted(place)
        show_problems(outcome.diagnostics)
        if outcome.value is None:
            failed += 1
            continue
        changed += outcome.value.changed
        if diff:
            typer.echo(_difference(place, outcome.value), nl=False)
        elif place.data is not None and not check:
            typer.echo(outcome.value.after.decode(), nl=False)
        elif outcome.value.changed:
            _write(place, outcome.value, check=check)
    if not quiet:
        typer.echo(_summary(len(places) - failed - changed, changed, failed, would=check or diff), err=True)
    if failed or (changed and (check or diff)):
        raise typer.Exit(1)


def _write(place: Spot, made: Formatted, *, check: bool) -> None:
    if check:
        typer.echo(f"would change {place.name}")
        return
    from synthspec.cli.output import rewrite_file

    rewrite_file(place.path, made.after)
    typer.echo(f"changed {place.name}")


def _difference(place: Spot, made: Formatted) -> str:
    import difflib

    before, after = (data.decode().splitlines(keepends=True) for data in (made.before, made.after))
    lines = difflib.unified_diff(before, after, place.name, place.name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _summary(same: int, changed: int, failed: int, *, would: bool) -> str:
    files = same + changed + failed
    parts = [f"{files} file{'' if files == 1 else 's'}: {changed} {'would be changed' if would else 'changed'}"]
    parts += [f"{same} unchanged", f"{failed} not understood" if failed else ""]
    return ", ".join(part for part in parts if part)
