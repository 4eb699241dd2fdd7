"""`synthspec validate`: everything that can be said about specs without running them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import FINDINGS_FORMAT, OUTSIDE, QUIET, SET, FindingsFormat, overrides, show_report, usage
from synthspec.cli.loading import loading
from synthspec.diag import Diagnostic
from synthspec.text import counted

if TYPE_CHECKING:
    from synthspec.cli.baseline import Compared
    from synthspec.pipeline.front import Options, Spot


def validate(
    paths: list[str] = typer.Argument(..., help="Files, folders or globs; '-' reads one spec from stdin."),
    form: FindingsFormat = FINDINGS_FORMAT,
    select: list[str] | None = typer.Option(None, help="Report only codes that start with this."),
    ignore: list[str] | None = typer.Option(None, help="Leave out codes that start with this."),
    fail_on: str = typer.Option("error", help="'error' or 'warning': what makes the exit code 1."),
    baseline: Path | None = typer.Option(None, help="A file of known findings, which are not reported."),
    write_baseline: bool = typer.Option(False, "--write-baseline", help="Write what is found into --baseline."),
    fix: bool = typer.Option(False, "--fix", help="Mend what is safe to mend: spellings of units, 'dimensionless'."),
    unsafe_fixes: bool = typer.Option(
        False, "--unsafe-fixes", help="With --fix: misspelt keys too, by what they are like."
    ),
    changes: list[str] | None = SET,
    allow_outside: bool = OUTSIDE,
    stdin_filename: Path = typer.Option(Path("spec.yaml"), help="Where a spec read from stdin would lie."),
    output_file: Path | None = typer.Option(None, help="Write the answer here instead of stdout."),
    quiet: bool = QUIET,
) -> None:
    """Check specs and schemas: syntax, units, axioms, contracts. Runs nothing, and changes nothing unless asked to."""
    with loading():
        from datetime import UTC, datetime

        from synthspec.cli.paths import STDIN, spots
        from synthspec.pipeline.front import Options

    if write_baseline and baseline is None:
        raise usage("--write-baseline needs --baseline FILE: where to write")
    _check_words(fail_on, fix=fix, unsafe=unsafe_fixes, only_files=not changes and STDIN not in paths)
    options = Options(
        today=datetime.now(UTC).date(),
        allow_outside=allow_outside,
        overrides=overrides(changes),
        ignore_errors=True,
    )
    places = spots(paths, stdin_filename)
    if fix:
        _fix(places, options, lambda found: _wanted(found, select, ignore), unsafe=unsafe_fixes, quiet=quiet)
    kept = [found for found in _findings(places, options) if _wanted(found, select, ignore)]
    names = [place.name for place in places]
    if baseline is not None and write_baseline:
        _write_baseline(kept, baseline, quiet=quiet)
        return
    known = None if baseline is None else _compare(kept, baseline, names, quiet=quiet)
    told = kept if known is None else known.kept
    more = {} if known is None else {"baseline": {"hidden": known.hidden, "stale": known.stale}}
    if told or not quiet or form is not FindingsFormat.text or output_file is not None:
        show_report(told, names, form, output_file, more)
    if any(found.is_error or fail_on == "warning" for found in told):
        raise typer.Exit(1)


def _check_words(fail_on: str, *, fix: bool, unsafe: bool, only_files: bool) -> None:
    """Exit 2 when options contradict one another."""
    if fail_on not in ("error", "warning"):
        raise usage(f"--fail-on takes 'error' or 'warning', not {fail_on!r}")
    if unsafe and not fix:
        raise usage("--unsafe-fixes says what --fix may do; write both")
    if fix and not only_files:
        raise usage("--fix changes files; it goes with neither --set nor stdin")


def _fix(
    places: Iterable[Spot], options: Options, wanted: Callable[[Diagnostic], bool], *, unsafe: bool, quiet: bool
) -> None:
    from synthspec.cli.output import rewrite_file
    from synthspec.rewrite import fixed

    for place in places:
        made = fixed(place, options, wanted, unsafe=unsafe)
        if not made.edits:
            continue
        rewrite_file(place.path, made.data)
        if not quiet:
            typer.echo(f"mended {place.name} in {counted(made.edits, 'place')}", err=True)


def _findings(places: Iterable[Spot], options: Options) -> Iterable[Diagnostic]:
    from synthspec.pipeline.front import validate as check_file

    findings: dict[tuple[object, ...], Diagnostic] = {}
    for place in places:
        for found in check_file(place, options).diagnostics:
            # An SRef is checked with each spec that uses it, and named once.
            findings.setdefault((found.code, found.file, found.span and found.span.start, found.message), found)
    return findings.values()


def _wanted(found: Diagnostic, select: Sequence[str] | None, ignore: Sequence[str] | None) -> bool:
    chosen = not select or any(found.code.startswith(prefix) for prefix in select)
    return chosen and not any(found.code.startswith(prefix) for prefix in ignore or ())


def _compare(found: Sequence[Diagnostic], path: Path, names: Sequence[str], *, quiet: bool) -> Compared:
    from synthspec.cli.baseline import compare

    known = compare(found, path, names)
    if known.note and not quiet:
        typer.echo(f"note: {known.note}", err=True)
    return known


def _write_baseline(found: Sequence[Diagnostic], path: Path, *, quiet: bool) -> None:
    from synthspec.cli.baseline import write

    write(found, path)
    if not quiet:
        typer.echo(f"wrote {path} ({counted(len(found), 'finding')})", err=True)
