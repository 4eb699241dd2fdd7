"""`synthspec validate`: everything that can be said about specs without running them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from synthspec.cli.answer import FORMAT, OUTSIDE, QUIET, SET, Format, overrides, show_findings, usage
from synthspec.diag import Diagnostic

STDIN = "-"


def validate(
    paths: list[str] = typer.Argument(..., help="Files, folders or globs; '-' reads one spec from stdin."),
    form: Format = FORMAT,
    select: list[str] | None = typer.Option(None, help="Report only codes that start with this."),
    ignore: list[str] | None = typer.Option(None, help="Leave out codes that start with this."),
    fail_on: str = typer.Option("error", help="'error' or 'warning': what makes the exit code 1."),
    changes: list[str] | None = SET,
    allow_outside: bool = OUTSIDE,
    stdin_filename: Path = typer.Option(Path("spec.yaml"), help="Where a spec read from stdin would lie."),
    output_file: Path | None = typer.Option(None, help="Write the answer here instead of stdout."),
    quiet: bool = QUIET,
) -> None:
    """Check specs and schemas: syntax, units, axioms, contracts. Never writes, never runs anything."""
    from datetime import UTC, datetime

    from synthspec.pipeline.front import Options, Spot, spot
    from synthspec.pipeline.front import validate as check_file

    if fail_on not in ("error", "warning"):
        raise usage(f"--fail-on takes 'error' or 'warning', not {fail_on!r}")
    options = Options(today=datetime.now(UTC).date(), allow_outside=allow_outside, overrides=overrides(changes))
    spots = [
        Spot(stdin_filename, str(stdin_filename), sys.stdin.buffer.read()) if path == STDIN else spot(Path(path))
        for path in _files(paths)
    ]
    findings: dict[tuple[object, ...], Diagnostic] = {}
    for place in spots:
        for found in check_file(place, options).diagnostics:
            # An SRef is checked with each spec that uses it, and named once.
            findings.setdefault((found.code, found.file, found.span and found.span.start, found.message), found)
    kept = [found for found in findings.values() if _wanted(found, select, ignore)]
    _answer(kept, len(spots), form, output_file, quiet=quiet)
    if any(found.is_error or fail_on == "warning" for found in kept):
        raise typer.Exit(1)


def _answer(kept: Sequence[Diagnostic], files: int, form: Format, output: Path | None, *, quiet: bool) -> None:
    if output is not None:
        from synthspec.cli.output import captured

        with captured(output):
            show_findings(kept, files, form)
    elif kept or not quiet or form is not Format.text:
        show_findings(kept, files, form)


def _wanted(found: Diagnostic, select: Sequence[str] | None, ignore: Sequence[str] | None) -> bool:
    chosen = not select or any(found.code.startswith(prefix) for prefix in select)
    return chosen and not any(found.code.startswith(prefix) for prefix in ignore or ())


def _files(paths: Sequence[str]) -> list[str]:
    found: dict[str, str] = {}
    for path in paths:
        listed = [path] if path == STDIN else list(_expand(path))
        if not listed:
            raise usage(f"{path}: no such file or folder, and no file matches it")
        for each in listed:
            # One file is one file, however it is spelled.
            found.setdefault(each if each == STDIN else str(Path(each).resolve()), each)
    return list(found.values())


def _expand(path: str) -> Iterator[str]:
    import glob

    if Path(path).is_dir():
        documents = sorted(item for pattern in ("*.yaml", "*.yml") for item in Path(path).rglob(pattern))
        yield from (str(document) for document in documents if _ours(document))
    elif Path(path).exists():
        yield path
    else:
        yield from sorted(name for name in glob.glob(path, recursive=True) if Path(name).is_file())  # noqa: PTH207


def _ours(document: Path) -> bool:
    """Whether a file met in a folder is one of ours: other YAML lies beside specs, and is none of our business."""
    if not document.is_file() or any(part.startswith(".") for part in document.parts if part not in (".", "..")):
        return False
    with document.open("rb") as file:
        return b"synthspec/" in file.read(1 << 16)
