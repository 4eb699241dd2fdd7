"""A private key for a command, by name, file or device; its passphrase or PIN is asked for, and never an argument."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import usage

if TYPE_CHECKING:
    from synthspec.sign import Refusals, SigningKey

PASSPHRASE = typer.Option(
    None,
    "--passphrase-fd",
    min=0,
    help="Read the key's passphrase from this open descriptor; else SYNTHSPEC_KEY_PASSPHRASE, else a prompt.",
)
_VARIABLE = "SYNTHSPEC_KEY_PASSPHRASE"
_MAX = 4096


def signing_key(named: str, descriptor: int | None = None) -> SigningKey:
    """The private key called `named` in the configuration, in the file `named`, or in the device `named` by its URI.

    A passphrase or PIN is asked for only when the key needs one, and never taken from the command line, which others can
    read. Exit 2 with the reason where there is no such key.
    """
    from synthspec.sign import SigningKey, config_dir, load_key
    from synthspec.sign.device import device_key, is_device

    if is_device(named):
        opened = device_key(named, lambda what: read_passphrase(descriptor, f"{what.upper()} of {named}").decode())
        if isinstance(opened, SigningKey):
            return opened
        raise usage(told(opened))
    path = Path(named)
    if os.sep not in named and not path.exists():
        path = config_dir() / "keys" / f"{named}.pem"
    found = load_key(path)
    if not isinstance(found, SigningKey) and any(each.code == "KEY_PASSPHRASE" for each in found):
        found = load_key(path, read_passphrase(descriptor, f"Passphrase of {path.name}"))
    if isinstance(found, SigningKey):
        return found
    raise usage(told(found))


def read_passphrase(descriptor: int | None, label: str, *, twice: bool = False) -> bytes:
    """The passphrase from `descriptor`, the environment or a prompt; exit 2 where there is none."""
    if descriptor is not None:
        try:
            with os.fdopen(os.dup(descriptor), "rb") as file:
                given = file.read(_MAX).rstrip(b"\r\n")
        except OSError as error:
            raise usage(f"--passphrase-fd {descriptor}: {error.strerror}") from None
    elif _VARIABLE in os.environ:
        given = os.environ[_VARIABLE].encode()
    elif sys.stdin.isatty():
        given = str(typer.prompt(label, hide_input=True, confirmation_prompt=twice, err=True)).encode()
    else:
        raise usage(f"{label}: give --passphrase-fd or {_VARIABLE}, or run it on a terminal")
    if not given:
        raise usage("the passphrase is empty")
    return given


def told(refusals: Refusals) -> str:
    """Refusals in one line."""
    return "; ".join(f"{each.code}: {each}" for each in refusals)
