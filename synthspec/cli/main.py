"""The program: gathers the verbs and turns what escapes them into exit codes.

0 clean; 1 findings, a broken block contract, a failed verification; 2 usage, an input that cannot be read; 3 a bug of ours.
"""

from __future__ import annotations

import sys

import typer

from synthspec import __version__
from synthspec.cli import (
    backends,
    compiling,
    doctor,
    explain,
    init,
    keys,
    replay,
    running,
    schema,
    validate,
    verify,
)

INTERRUPTED = 130
_KEPT = "interrupted: what was finished is kept, and the next run goes on from there"

app = typer.Typer(
    name="synthspec",
    help="Specs, checks and signed evidence for synthetic data made by deep generators.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"synthspec {__version__}")
        raise typer.Exit


@app.callback()
def program(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Specs, checks and signed evidence for synthetic data made by deep generators."""


app.command("init")(init.init)
app.command("validate")(validate.validate)
app.command("explain")(explain.explain)
app.command("schema")(schema.schema)
app.command("compile")(compiling.compile_)
app.command("run")(running.run)
app.command("verify")(verify.verify)
app.command("replay")(replay.replay)
app.add_typer(keys.app, name="keys")
app.command("backends")(backends.backends)
app.command("doctor")(doctor.doctor)


def run() -> None:
    """The console script."""
    try:
        app()
    except KeyboardInterrupt:
        typer.echo(_KEPT, err=True)
        sys.exit(INTERRUPTED)
    except SystemExit as leaving:
        # Ctrl-C inside a verb: typer makes this code of it, without a word.
        if leaving.code == INTERRUPTED:
            typer.echo(_KEPT, err=True)
        raise
    except OSError as error:
        typer.echo(f"error: {_world(error)}", err=True)
        sys.exit(2)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a bug of ours is said to be one
        _report(error)
        sys.exit(3)


def _world(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _report(error: Exception) -> None:
    import platform
    import traceback

    typer.echo("".join(traceback.format_exception(error)), err=True)
    typer.echo(
        "This is a bug of SynthSpec, not of your spec. Please report the lines above with: "
        f"synthspec {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        "and the command you ran.",
        err=True,
    )
