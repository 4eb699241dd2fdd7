"""`synthspec explain`: what a code, an axiom, an equation, a contract or a key means, and how to meet it."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from synthspec.cli.answer import usage


def explain(
    name: str | None = typer.Argument(
        None,
        help="A code (P405-4.budget-missing), an axiom (P405-4), a key (privacy.clip.norm), or nothing for the list.",
    ),
    write: Path | None = typer.Option(None, help="Write all pages as Markdown below this folder instead."),
    check: bool = typer.Option(False, "--check", help="With --write: change nothing, exit 1 when a file differs."),
) -> None:
    """Explain a code, an id of the standard, or a key of the language."""
    if write is not None:
        _write(write, check=check)
        return
    from synthspec.report.explanation import explain_name, index
    from synthspec.report.style import style_for

    style = style_for(sys.stdout)
    if name is None:
        typer.echo(index(style), nl=False, color=True)
        return
    text = explain_name(name, style)
    if text is None:
        from synthspec.diag import nearest
        from synthspec.report.explanation import names

        near = nearest(name, names())
        advice = "it is no code, id or key" if near is None else f"did you mean {near!r}?"
        raise usage(f"nothing is called {name!r}: {advice}; 'synthspec explain' lists the codes, docs/keys.md the keys")
    typer.echo(text, nl=False, color=True)


def _write(folder: Path, *, check: bool) -> None:
    from synthspec.cli.output import write_changed
    from synthspec.report.docs import pages

    stale = write_changed(folder, pages(), check=check)
    if check and stale:
        typer.echo("out of date: " + ", ".join(stale) + "; run: make pages", err=True)
        raise typer.Exit(1)
