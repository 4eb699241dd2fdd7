"""`synthspec keys`: the keys that sign manifests."""

from __future__ import annotations

from typing import cast

import typer

app = typer.Typer(help="The keys that sign manifests.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_() -> None:
    """List the keys in your configuration, with what each is."""
    from synthspec.sign import SigningKey, config_dir, list_keys

    found = list_keys(config_dir())
    if not found:
        typer.echo("no keys yet: the first run makes a development key, or run 'synthspec keys new NAME'")
    for entry in found:
        if isinstance(entry, SigningKey):
            typer.echo(f"{entry.name}\t{entry.kind}\t{entry.public.algorithm}\t{entry.key_id}")
        else:
            typer.echo("\n".join(f"unusable\t{each.code}\t{each.where}: {each.message}" for each in entry))


@app.command("new")
def new(
    name: str = typer.Argument(..., help="What to call it; the file is <config>/keys/NAME.pem."),
    algorithm: str = typer.Option("ecdsa-p256-sha256", help="'ecdsa-p256-sha256' or 'ed25519'."),
) -> None:
    """Make a key. It is written with mode 0600 and never printed."""
    from synthspec.cli.answer import usage
    from synthspec.sign import SigningKey, config_dir, create_key
    from synthspec.sign.public_key import Algorithm

    if algorithm not in ("ecdsa-p256-sha256", "ed25519"):
        raise usage(f"--algorithm takes 'ecdsa-p256-sha256' or 'ed25519', not {algorithm!r}")
    made = create_key(config_dir(), name, cast("Algorithm", algorithm))
    if not isinstance(made, SigningKey):
        raise usage("; ".join(f"{each.code}: {each.message}" for each in made))
    typer.echo(f"wrote {made.path}")
    typer.echo(made.public.pem, nl=False)


@app.command("show")
def show(name: str = typer.Argument("development", help="The key.")) -> None:
    """Print the public half of a key: what others need to verify your manifests."""
    from synthspec.cli.answer import usage
    from synthspec.sign import SigningKey, config_dir, load_key

    found = load_key(config_dir() / "keys" / f"{name}.pem")
    if not isinstance(found, SigningKey):
        raise usage("; ".join(f"{each.code}: {each.where}: {each.message}" for each in found))
    typer.echo(f"key id {found.key_id} ({found.public.algorithm})", err=True)
    typer.echo(found.public.pem, nl=False)
