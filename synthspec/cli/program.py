"""The verbs of the program, and what stands before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module

import typer

from synthspec import __version__

_ABOUT = "Specs, checks and signed evidence for synthetic data made by deep generators."

VERBS: Mapping[str, str] = {
    "init": "init:init",
    "validate": "validate:validate",
    "explain": "explain:explain",
    "schema": "schema:schema",
    "fmt": "fmt:fmt",
    "compile": "compiling:compile_",
    "run": "running:run",
    "verify": "verify:verify",
    "replay": "replay:replay",
    "report": "reporting:report",
    "release": "releasing:release",
    "measure": "measuring:measure",
    "calibrate": "calibrating:calibrate",
    "review": "reviewing:review",
    "policy": "policy:app",
    "account": "account:account",
    "audit": "auditing:audit",
    "ledger": "ledger:app",
    "keys": "keys:app",
    "trust": "trust:app",
    "watermark": "watermark:app",
    "backends": "backends:backends",
    "doctor": "doctor:doctor",
}
"""Where each verb lies, in the order of ``--help``: a module of `synthspec.cli`, and in it a function or a group."""


def program(words: Sequence[str]) -> typer.Typer:
    """The program for a command line.

    Only the verb that it names is loaded: all of them together cost as much as checking a spec. A line that does not
    begin with a verb (``--help``, a misspelling) is answered with all of them in view.
    """
    app = typer.Typer(
        name="synthspec",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback(help=_ABOUT)(_root)
    for verb in words[:1] if words and words[0] in VERBS else VERBS:
        module, _, name = VERBS[verb].partition(":")
        found = getattr(import_module(f"synthspec.cli.{module}"), name)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=verb)
        else:
            app.command(verb)(found)
    return app


def _version(show: bool) -> None:
    if show:
        typer.echo(f"synthspec {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """What stands before the verb."""
