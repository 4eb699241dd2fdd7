"""`synthspec watermark`: keys of marks, and whether a file carries the mark of one."""

from __future__ import annotations

import json
import math
from pathlib import Path

import typer

from synthspec.cli.answer import FORMAT, Format, show_findings, usage

app = typer.Typer(
    help="Keyed marks in what is released, and their exact test.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("new")
def new(name: str = typer.Argument(..., help="What to call it; the file is <config>/watermark/NAME.key.")) -> None:
    """Make a key, mode 0600. It is never printed; the manifest names it by its SHA-256."""
    from synthspec.sign import config_dir
    from synthspec.watermark import KeyFault, key_path, make_key

    try:
        path = key_path(config_dir() / "watermark", name)
        make_key(path)
    except (KeyFault, OSError) as fault:
        raise usage(str(fault)) from None
    typer.echo(f"wrote {path}")


@app.command("list")
def list_() -> None:
    """List the keys of marks, with what a manifest names each by."""
    import hashlib

    from synthspec.sign import config_dir

    paths = sorted((config_dir() / "watermark").glob("*.key"))
    if not paths:
        typer.echo("no key yet: the first marked run makes one, or run 'synthspec watermark new NAME'")
    for path in paths:
        typer.echo(f"{path.stem}\t{hashlib.sha256(path.read_bytes()).hexdigest()}")


@app.command("detect")
def detect(
    records: Path = typer.Argument(..., help="Released records: csv, npz, or what else the SRef's modality reads."),
    sref: Path = typer.Option(..., help="The SRef that says what their fields are."),
    key: str = typer.Option("default", help="The key, by name or file."),
    candidates: int = typer.Option(2, min=2, max=64, help="release.watermark.candidates of the spec."),
    alpha: float = typer.Option(
        1e-6, min=0.0, max=1.0, help="The share of unmarked files that may be taken for marked."
    ),
    form: Format = FORMAT,
) -> None:
    """Test whether records carry the mark of a key, with the exact p-value. Exit 0: they do; 1: they do not, or cannot."""
    from synthspec.backend.protocol import DataError
    from synthspec.diag import Diagnostic
    from synthspec.execute.core.loose import read_released
    from synthspec.pipeline.front import load_sref
    from synthspec.resolve import bind_schema
    from synthspec.watermark.selection import canonical
    from synthspec.watermark.selection import detect as test

    secret = _key(key)
    if not records.exists() or not sref.is_file():
        raise usage(f"{sref if records.exists() else records}: no such file")
    schema = load_sref(sref).then(bind_schema)
    if schema.value is None or any(found.is_error for found in schema.diagnostics):
        show_findings(schema.diagnostics, 1, form)
        raise typer.Exit(2)
    try:
        found = test(secret, canonical(schema.value, read_released(records, schema.value)), candidates, alpha)
    except DataError as error:
        show_findings([Diagnostic(code=error.code, message=error.message, help=error.help)], 1, form)
        raise typer.Exit(2) from None
    except ValueError as error:
        raise usage(f"{records}: {error}") from None
    if form is Format.json:
        body = {name: getattr(found, name) for name in type(found).__dataclass_fields__}
        typer.echo(json.dumps({**body, "able": found.able, "detected": found.detected}))
    else:
        typer.echo(f"{found.distinct} distinct of {found.records} records: z {found.z:.2f}, p {_shown(found.p)}")
        typer.echo(
            f"a file marked with {candidates} candidates and not changed since would show z {found.expected_z:.1f}"
        )
        if not found.able:
            typer.echo("too few distinct records: no mark could show in them")
        typer.echo(f"watermark: {'DETECTED' if found.detected else 'not detected'} at alpha {alpha:g}")
    if not found.detected:
        raise typer.Exit(1)


def _key(named: str) -> bytes:
    from synthspec.sign import config_dir
    from synthspec.watermark import KeyFault, key_path, read_key

    path = Path(named)
    try:
        kept = path if path.is_file() else key_path(config_dir() / "watermark", named)
        if not kept.exists():
            raise usage(
                f"there is no key {named} ({kept}); only the key that marked them finds a mark in records: ask who made "
                "them for it, and give it with --key FILE"
            )
        return read_key(kept)
    except KeyFault as fault:
        raise usage(str(fault)) from None


def _shown(p: float) -> str:
    return f"{p:.3g}" if p > 0 else f"below {math.ulp(0.0):.0e}"
