"""`synthspec policy`: policies and their own examples."""

from __future__ import annotations

import sys

import typer

from synthspec.cli.answer import FORMAT, Format, show_findings, usage

app = typer.Typer(no_args_is_help=True, help="Rules for changes of specs: check policies and run their examples.")


@app.callback()
def _policy() -> None:
    """A group also while it has one command."""


@app.command("test")
def run(
    paths: list[str] = typer.Argument(..., help="Policy files, or folders of them."),
    form: Format = FORMAT,
) -> None:
    """Check the types of every rule and run every example; exit 1 when one comes out otherwise than it says."""
    from datetime import UTC, datetime
    from pathlib import Path

    from synthspec.cli.paths import files
    from synthspec.review.cel import CelMissingError
    from synthspec.review.examples import run_examples

    try:
        results = [run_examples(Path(path), datetime.now(UTC).date()) for path in files(paths)]
    except CelMissingError as error:
        raise usage(str(error)) from error
    known = [result for result in results if result is not None]
    if not known:
        raise usage("none of these files is a policy")
    findings = [finding for result in known for finding in result.findings]
    if form is Format.json:
        told = [{"path": each.path, "rules": each.rules, "examples": each.examples} for each in known]
        show_findings(findings, len(known), form, policies=told)
    else:
        from synthspec.report.findings_text import render_finding
        from synthspec.report.style import style_for

        for finding in findings:
            typer.echo(render_finding(finding, style_for(sys.stdout)), color=True)
        for each in known:
            typer.echo(f"{each.path}: {each.rules} rules, {each.examples} examples, {len(each.findings)} failed")
    if findings:
        raise typer.Exit(1)
