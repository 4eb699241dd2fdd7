"""How every verb answers: findings in the chosen format, and the exit code that follows."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path

import typer

from synthspec.cli.failing import fail
from synthspec.diag import Diagnostic


class Format(str, Enum):
    """The formats of answers."""

    text = "text"
    json = "json"


class FindingsFormat(str, Enum):
    """The formats of an answer that is nothing but findings: the table of `synthspec.report.findings`."""

    text = "text"
    concise = "concise"
    json = "json"
    jsonl = "jsonl"
    sarif = "sarif"
    github = "github"
    gitlab = "gitlab"
    junit = "junit"
    markdown = "markdown"


FORMAT = typer.Option(Format.text, "--format", help="How to print the answer.")
FINDINGS_FORMAT = typer.Option(FindingsFormat.text, "--format", help="How to print the findings.")
QUIET = typer.Option(False, "--quiet", "-q", help="Print nothing but findings and results.")
OUTSIDE = typer.Option(False, "--allow-outside", help="Let paths in the spec leave its root.")
SET = typer.Option(None, "--set", metavar="PATH=VALUE", help="Change one value of the spec; the manifest records it.")


def show_findings(findings: Sequence[Diagnostic], files: int, form: Format, **more: object) -> None:
    """Print `findings` on stdout in `form`; `more` goes into the JSON object."""
    if form is Format.json:
        from synthspec.report.findings_json import findings_json

        typer.echo(findings_json(findings, files, **more), nl=False)
        return
    from synthspec.report.findings_text import render_findings
    from synthspec.report.style import style_for

    typer.echo(render_findings(findings, files, style_for(sys.stdout)), nl=False, color=True)


def show_report(
    findings: Sequence[Diagnostic],
    files: Sequence[str],
    form: FindingsFormat,
    output: Path | None,
    more: Mapping[str, object],
) -> None:
    """Print `findings` about `files` in any of the forms, on stdout or, atomically, into the file `output`."""
    import contextlib

    from synthspec.report.findings import Report, renderer

    into: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if output is not None:
        from synthspec.cli.output import captured

        into = captured(output)
    with into:
        # Rendered inside: whether there is colour is asked of the stdout that the text goes to.
        typer.echo(renderer(form.value)(Report(tuple(findings), tuple(files), more)), nl=False, color=True)


def show_problems(findings: Sequence[Diagnostic]) -> None:
    """Print `findings` on stderr for a verb whose answer is something else."""
    if not findings:
        return
    from synthspec.report.findings_text import render_finding
    from synthspec.report.style import style_for

    style = style_for(sys.stderr)
    typer.echo("\n".join(render_finding(finding, style) for finding in findings), nl=False, err=True, color=True)


def usage(message: str) -> typer.Exit:
    """The exit, to be raised, of a command that was not understood; `message` is said in the format asked for."""
    fail(f"error: {message}")
    return typer.Exit(2)


def overrides(texts: Sequence[str] | None) -> tuple[tuple[str, str], ...]:
    """The ``--set`` arguments as (path, value)."""
    pairs = [text.partition("=") for text in texts or ()]
    for path, equals, _ in pairs:
        if not equals or not path:
            raise usage("--set takes PATH=VALUE, for instance --set sampling.n=64")
    return tuple((path, value) for path, _, value in pairs)


def existing_file(path: Path) -> Path:
    """`path`, or exit 2 when it is not a file that can be read."""
    if not path.is_file():
        raise usage(f"{path}: no such file" if not path.exists() else f"{path}: not a file")
    return path
