"""`synthspec explain`: what a code, an axiom, an equation or a contract means, and how to meet it."""

from __future__ import annotations

import sys

import typer

from synthspec.cli.answer import usage


def explain(
    name: str | None = typer.Argument(
        None, help="A code (P405-4.budget-missing), an axiom (P405-4), or nothing for the list."
    ),
) -> None:
    """Explain a code or an id of the standard."""
    from synthspec.report.explanation import explain_name, index
    from synthspec.report.style import style_for

    style = style_for(sys.stdout)
    if name is None:
        typer.echo(index(style), nl=False, color=True)
        return
    text = explain_name(name, style)
    if text is None:
        from synthspec.diag import did_you_mean
        from synthspec.report.explanation import names

        raise usage(f"nothing is called {name!r}: {did_you_mean(name, names())}; 'synthspec explain' lists all")
    typer.echo(text, nl=False, color=True)
