"""`synthspec keys`: the keys that sign manifests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

from synthspec.cli.answer import usage
from synthspec.cli.signer import PASSPHRASE, read_passphrase, signing_key, told

if TYPE_CHECKING:
    from synthspec.sign.public_key import PublicKey

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
        elif entry[0].code == "KEY_PASSPHRASE" and (public := _public(Path(entry[0].where))) is not None:
            typer.echo(f"{Path(entry[0].where).stem}\tuser, encrypted\t{public.algorithm}\t{public.key_id}")
        else:
            typer.echo("\n".join(f"unusable\t{each.code}\t{each}" for each in entry))


@app.command("new")
def new(
    name: str = typer.Argument(..., help="What to call it; the file is <config>/keys/NAME.pem."),
    algorithm: str = typer.Option("ecdsa-p256-sha256", help="'ecdsa-p256-sha256' or 'ed25519'."),
    encrypt: bool = typer.Option(False, "--encrypt", help="Protect it with a passphrase."),
    passphrase_fd: int | None = PASSPHRASE,
) -> None:
    """Make a key. It is written with mode 0600 and never printed."""
    from synthspec.sign import SigningKey, config_dir, create_key
    from synthspec.sign.public_key import Algorithm

    if algorithm not in ("ecdsa-p256-sha256", "ed25519"):
        raise usage(f"--algorithm takes 'ecdsa-p256-sha256' or 'ed25519', not {algorithm!r}")
    secret = read_passphrase(passphrase_fd, "New passphrase", twice=True) if encrypt else None
    made = create_key(config_dir(), name, cast("Algorithm", algorithm), secret)
    if not isinstance(made, SigningKey):
        raise usage(told(made))
    typer.echo(f"wrote {made.source}")
    typer.echo(made.public.pem, nl=False)


@app.command("show")
def show(
    name: str = typer.Argument("development", help="The key, or the URI of a device that holds it."),
    passphrase_fd: int | None = PASSPHRASE,
) -> None:
    """Print the public half of a key: what others need to verify your manifests."""
    from synthspec.sign import SigningKey, config_dir, load_key
    from synthspec.sign.device import is_device

    path = config_dir() / "keys" / f"{name}.pem"
    found = signing_key(name, passphrase_fd) if is_device(name) else load_key(path)
    public = found.public if isinstance(found, SigningKey) else _public(path)
    if public is None:
        assert not isinstance(found, SigningKey)  # noqa: S101 - a key that loads has a public half
        raise usage(told(found))
    typer.echo(f"key id {public.key_id} ({public.algorithm})", err=True)
    typer.echo(public.pem, nl=False)


@app.command("approve")
def approve(
    manifest: Path = typer.Argument(..., help="manifest.sigstore.json, or the folder of a run."),
    key: str = typer.Option(..., help="The private key that approves, by name, file or URI of a device."),
    passphrase_fd: int | None = PASSPHRASE,
) -> None:
    """Add a signature to a manifest that verifies: for streams that several people must sign."""
    from synthspec.pipeline.verifying import approve as approve_path

    if not manifest.exists():
        raise usage(f"{manifest}: no such file or folder")
    signer = signing_key(key, passphrase_fd)
    refusals, written = approve_path(manifest, signer)
    if written is None:
        typer.echo(told(refusals), err=True)
        raise typer.Exit(1)
    typer.echo(f"approved by {signer.key_id}: wrote {written}")


@app.command("timestamp")
def timestamp(
    manifest: Path = typer.Argument(..., help="manifest.sigstore.json, or the folder of a run."),
    query: Path | None = typer.Option(None, "--query", help="Write what to send to a time-stamping authority here."),
    reply: Path | None = typer.Option(None, "--reply", help="Put this answer of the authority into the manifest."),
    answers: Path | None = typer.Option(None, "--answers", help="The request that the reply must answer."),
) -> None:
    """Have a clock that others trust say by when a manifest was signed (RFC 3161). Nothing is sent from here."""
    from synthspec.pipeline.stamping import Stamped, add_stamp, write_request

    if (query is None) == (reply is None) or (answers is not None and reply is None):
        raise usage("give --query FILE to write a request, or --reply FILE [--answers FILE] to take its answer in")
    if not manifest.exists():
        raise usage(f"{manifest}: no such file or folder")
    done = add_stamp(manifest, reply, answers) if reply is not None else write_request(manifest, cast("Path", query))
    if isinstance(done, Stamped):
        typer.echo(f"wrote {done.bundle}: signed by {done.by.isoformat()} at the latest")
        if not done.believed:
            typer.echo(
                "note: no root of a clock is trusted here, so nobody vouches for that: run 'synthspec trust clock FILE'"
            )
    elif done:
        typer.echo(told(done), err=True)
        raise typer.Exit(2 if all(each.code == "IO" for each in done) else 1)
    else:
        typer.echo(f"wrote {query}; ask an authority, such as: openssl ts -reply -queryfile {query} ...")


def _public(path: Path) -> PublicKey | None:
    """The public half that was written beside an encrypted key."""
    from synthspec.sign.refusal import Refused
    from synthspec.sign.trust import read_trusted

    try:
        return read_trusted(path.with_suffix(".pub"))
    except Refused:
        return None
