"""A run that a verb goes on from: it verifies, and its manifest is the full one, or the verb ends here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import usage

if TYPE_CHECKING:
    from synthspec.ir.manifest import Manifest
    from synthspec.sign import VerifiedStatement


def verified(path: Path, keys: list[Path] | None, verb: str) -> tuple[Manifest, VerifiedStatement]:
    """The full manifest at `path` and what was signed with it, trusting `keys` beside one's own.

    Exit 1 with every refusal when it does not verify, exit 2 when it is the public one, which lacks what `verb` needs.
    """
    from synthspec.ir.manifest import Manifest
    from synthspec.pipeline.verifying import verify

    checked = verify(path, tuple(keys or ()))
    if checked.statement is None or checked.refusals:
        for each in checked.refusals:
            typer.echo(f"refused[{each.code}]: {each}", err=True)
        typer.echo(f"{verb}: REFUSED: the manifest does not verify", err=True)
        raise typer.Exit(1)
    said = checked.statement.manifest
    if not isinstance(said, Manifest):
        lacking = f"only the restricted one, which stays in the house, has what {verb} needs"
        raise usage(f"this is the public manifest: {lacking}")
    return said, checked.statement
