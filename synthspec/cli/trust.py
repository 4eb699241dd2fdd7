"""`synthspec trust`: whose signatures are believed, about which streams, and how many of them are needed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from synthspec.sign.trust_file import TrustFile

app = typer.Typer(help="Whose signatures are believed.", no_args_is_help=True, rich_markup_mode=None)

_STREAMS = typer.Option(None, "--stream", help="Only about streams that match (a name, or a glob such as 'digits-*').")
_FROM = typer.Option(None, "--from", help="Only for manifests made from this instant on (2026-01-31 or with a time).")
_UNTIL = typer.Option(None, "--until", help="Only for manifests made until this instant.")


@app.command("add")
def add(
    name: str = typer.Argument(..., help="What to call the key."),
    file: Path = typer.Argument(..., help="The public key: PEM, or an OpenSSH line."),
    stream: list[str] | None = _STREAMS,
    not_before: str | None = _FROM,
    not_after: str | None = _UNTIL,
) -> None:
    """Pin a public key. Weak keys are refused. The order of the releases that it signs is remembered from now on."""
    from synthspec.sign.public_key import read_public
    from synthspec.sign.trust import read_trusted
    from synthspec.sign.trust_file import TrustEntry

    def change(held: TrustFile) -> TrustFile:
        public = read_trusted(file)
        if name in held.keys:
            raise usage(f"{name} is trusted already; run 'synthspec trust remove {name}' first")
        for other, entry in held.keys.items():
            if read_public(entry.pem.encode(), other).spki == public.spki:
                raise usage(f"this key is trusted already, as {other}; run 'synthspec trust remove {other}' first")
        entry = TrustEntry(
            pem=public.pem, streams=tuple(stream or ()), not_before=_instant(not_before), not_after=_instant(not_after)
        )
        typer.echo(f"trusted {name}: {public.key_id} ({public.algorithm})")
        return held.model_copy(update={"keys": {**held.keys, name: entry}})

    _change(change)


@app.command("list")
def list_() -> None:
    """List the pinned keys, and how many must sign where more than one must."""
    from synthspec.sign import config_dir
    from synthspec.sign.public_key import read_public
    from synthspec.sign.timestamps import read_roots
    from synthspec.sign.trust_file import read_trust_file

    def show() -> None:
        held = read_trust_file(config_dir())
        if not held.keys:
            typer.echo("no key is pinned: run 'synthspec trust add NAME FILE'")
        for name, entry in held.keys.items():
            public = read_public(entry.pem.encode(), name)
            limits = [f"only {', '.join(entry.streams)}"] if entry.streams else []
            limits += [
                f"{word} {instant.isoformat()}"
                for word, instant in (
                    ("from", entry.not_before),
                    ("until", entry.not_after),
                    ("REVOKED", entry.revoked),
                )
                if instant is not None
            ]
            typer.echo("\t".join((name, public.algorithm, public.key_id, *limits)))
        for glob, number in held.thresholds.items():
            typer.echo(f"streams {glob}: {number} distinct keys must sign")
        for root in read_roots(held.timestamps.roots, "trust.toml, timestamps"):
            typer.echo(f"clocks below {root.subject.rfc4514_string()}, until {root.not_valid_after_utc.isoformat()}")

    _answered(show)


@app.command("remove")
def remove(name: str = typer.Argument(..., help="The key.")) -> None:
    """Forget a pinned key: what it signed is not believed any more."""

    def change(held: TrustFile) -> TrustFile:
        _known(held, name)
        return held.model_copy(update={"keys": {key: entry for key, entry in held.keys.items() if key != name}})

    _change(change)


@app.command("revoke")
def revoke(
    name: str = typer.Argument(..., help="The key."),
    at: str | None = typer.Option(None, "--at", help="Since when; default now."),
) -> None:
    """Mark a key as revoked: it is refused by name, whatever instant its manifests say.

    Only a time stamp below a trusted root shows that a manifest was signed before.
    """

    def change(held: TrustFile) -> TrustFile:
        _known(held, name)
        entry = held.keys[name].model_copy(update={"revoked": _instant(at) or datetime.now(UTC).replace(microsecond=0)})
        return held.model_copy(update={"keys": {**held.keys, name: entry}})

    _change(change)


@app.command("threshold")
def threshold(
    stream: str = typer.Argument(..., help="The streams: a name or a glob."),
    number: int = typer.Argument(..., min=1, max=16, help="How many distinct keys must sign; 1 takes the rule back."),
) -> None:
    """Ask for several signatures: the manifest's own, and approvals made with 'synthspec keys approve'."""

    def change(held: TrustFile) -> TrustFile:
        others = {glob: needed for glob, needed in held.thresholds.items() if glob != stream}
        return held.model_copy(update={"thresholds": others if number == 1 else {**others, stream: number}})

    _change(change)


@app.command("clock")
def clock(
    file: Path = typer.Argument(
        ..., help="The root certificates of time-stamping authorities, in PEM; empty for none."
    ),
) -> None:
    """Believe time stamps (RFC 3161) below these roots: they take the place of those that were believed before."""
    from synthspec.sign.files import read_limited
    from synthspec.sign.timestamps import read_roots, roots_pem
    from synthspec.sign.trust_file import Timestamps

    def change(held: TrustFile) -> TrustFile:
        roots = read_roots(read_limited(file, 60_000)[0].decode("latin-1"), str(file))
        typer.echo("\n".join(f"believed about the time: {root.subject.rfc4514_string()}" for root in roots) or "none")
        return held.model_copy(update={"timestamps": Timestamps(roots=roots_pem(roots))})

    _change(change)


def _change(change: Callable[[TrustFile], TrustFile]) -> None:
    from pydantic import ValidationError

    from synthspec.sign import config_dir
    from synthspec.sign.trust_file import TrustFile, read_trust_file, write_trust_file

    def step() -> None:
        changed = change(read_trust_file(config_dir()))
        try:
            checked = TrustFile.model_validate(changed.model_dump())
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise usage(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None
        write_trust_file(config_dir(), checked)

    _answered(step)


def _answered(step: Callable[[], None]) -> None:
    from synthspec.cli.signer import told
    from synthspec.sign.refusal import Refused

    try:
        step()
    except Refused as refused:
        raise usage(told(refused.refusals)) from None


def _known(held: TrustFile, name: str) -> None:
    if name not in held.keys:
        raise usage(f"no key is called {name}; 'synthspec trust list' shows them")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise usage(f"{text!r} is not an instant such as 2026-01-31 or 2026-01-31T12:00:00Z") from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
