"""The console script: runs the verb asked for and turns what escapes it into exit codes.

0 clean; 1 findings, a broken block contract, a failed verification; 2 usage, an input that cannot be read; 3 a bug of ours.
"""

from __future__ import annotations

import os
import sys

from synthspec import __version__
from synthspec.cli.failing import fail
from synthspec.cli.loading import loading

INTERRUPTED = 130
_KEPT = "interrupted: what was finished is kept, and the next run goes on from there"


def run() -> None:
    """The console script."""
    # No plugin of pydantic is asked what it makes of what is checked here; finding out which there are costs a walk through
    # everything that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        with loading():
            from synthspec.cli.program import program

            app = program(sys.argv[1:])
        app()
    except KeyboardInterrupt:
        _say(_KEPT)
        sys.exit(INTERRUPTED)
    except SystemExit as leaving:
        # Ctrl-C inside a verb: typer makes this code of it, without a word.
        if leaving.code == INTERRUPTED:
            _say(_KEPT)
        raise
    except OSError as error:
        fail(f"error: {_world(error)}")
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

    _say("".join(traceback.format_exception(error)))
    fail(
        "This is a bug of SynthSpec, not of your spec. Please report the lines above with: "
        f"synthspec {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        "and the command you ran."
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
