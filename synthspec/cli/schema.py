"""`synthspec schema`: the JSON Schemas of the documents, with every default."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import typer

from synthspec.cli.answer import usage


def schema(
    kind: str = typer.Argument("EngineSpec", help="EngineSpec, SRef, Policy or Manifest."),
    draft: str = typer.Option("2020-12", help="'2020-12', or 'draft-07' for editors."),
    write: Path | None = typer.Option(None, help="Write all schemas below this folder instead of printing one."),
    check: bool = typer.Option(False, "--check", help="With --write: change nothing, exit 1 when a file differs."),
) -> None:
    """Print a JSON Schema, or write all of them."""
    from synthspec.report.json_schemas import MODELS, Draft, file_names, json_schema

    if write is not None:
        from synthspec.cli.output import write_changed

        texts = {name: _text(json_schema(*which)) for name, which in file_names().items()}
        stale = write_changed(write, texts, check=check)
        if check and stale:
            typer.echo("out of date: " + ", ".join(stale) + "; run: make schemas", err=True)
            raise typer.Exit(1)
        return
    names = {name.lower(): name for name in MODELS}
    if kind.lower() not in names:
        raise usage(f"no schema called {kind!r}; there are {', '.join(MODELS)}")
    if draft not in ("2020-12", "draft-07"):
        raise usage(f"--draft takes '2020-12' or 'draft-07', not {draft!r}")
    typer.echo(_text(json_schema(names[kind.lower()], cast("Draft", draft))), nl=False)


def _text(body: object) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
