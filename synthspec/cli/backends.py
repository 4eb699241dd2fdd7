"""`synthspec backends`: which backends are installed, and what each still needs."""

from __future__ import annotations

import typer

from synthspec.cli.answer import FORMAT, Format


def backends(form: Format = FORMAT) -> None:
    """List the installed backends."""
    from synthspec.backend.discovery import discover

    found = discover()
    rows = [(backend.name, backend.version, backend.missing()) for backend in found.backends.values()]
    if form is Format.json:
        import json

        from synthspec.report.findings_json import header

        listed = [{"name": name, "version": version, "missing": missing} for name, version, missing in rows]
        broken = [{"name": each.name, "reason": each.reason} for each in found.broken]
        typer.echo(json.dumps({**header(), "backends": listed, "broken": broken}, indent=2))
        return
    for name, version, missing in rows:
        typer.echo(f"{name}\t{version}\t{f'needs: {missing}' if missing else 'ready'}")
    for each in found.broken:
        typer.echo(f"{each.name}\tbroken\t{each.reason}")
