"""Signing keys that never leave a token or a service: PKCS#11, the key services of clouds, Vault.

All of them are securesystemslib's, which is imported when such a key is named and not before: with the libraries of the
clouds beside it that takes seconds. A key is a URI. Its public half is asked of the device each time and every signature is
checked against it, so what comes back is proved, not believed. ECDSA draws a new number for each signature there: the signed
bytes are the same each time, the signature is not.
"""

from __future__ import annotations

import binascii
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from synthspec.sign.device_faults import fault_of
from synthspec.sign.keys import SigningKey
from synthspec.sign.public_key import PublicKey, public_key, read_public
from synthspec.sign.refusal import Refusals, Refused, refuse

T = TypeVar("T")
SecretsHandler = Callable[[str], str]
"""Asked for the PIN of a token, by what the token calls it."""

_PROBE = b"synthspec: this key can sign"
"""Signed before anything is made. No envelope begins like this, so the signature is good for nothing else."""
_ECDSA = "ecdsa-sha2-nistp256"


def is_device(named: str) -> bool:
    """Whether `named` is the URI of a key in a device, and no file."""
    return named.partition(":")[0] in _IMPORTS and ":" in named


def device_key(uri: str, secrets: SecretsHandler) -> SigningKey | Refusals:
    """The key that `uri` names, after it has signed something; `secrets` is asked for a PIN at most once.

    Refused with KEY_DEVICE when there is no such key, or it does not answer, and with KEY_TYPE unless it is P-256 or
    Ed25519. What `secrets` raises comes through.
    """
    try:
        return _opened(uri, secrets)
    except Refused as refused:
        return refused.refusals
    except _Unasked as unasked:
        raise unasked.error from None


class _Unasked(Exception):  # noqa: N818 - it carries the error of a prompt past those of a device
    """The PIN could not be asked for."""

    def __init__(self, error: Exception) -> None:
        super().__init__("no PIN")
        self.error = error


@dataclass(frozen=True, slots=True)
class _Parts:
    """A URI, taken apart."""

    path: str
    label: str | None


def _opened(uri: str, secrets: SecretsHandler) -> SigningKey:
    asked: dict[str, str] = {}

    def once(what: str) -> str:
        if what not in asked:
            try:
                asked[what] = secrets(what)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is not the device's
                raise _Unasked(error) from None
        return asked[what]

    made, public = _reached(uri, lambda: _imported(uri, once))
    ours = _public(public, uri)
    signer = _reached(uri, lambda: _library().Signer.from_priv_key_uri(made, public, once))

    def sign(message: bytes) -> bytes:
        signature = _reached(uri, lambda: bytes.fromhex(signer.sign(message).signature))
        if not ours.verifies(message, signature):
            raise refuse("KEY_DEVICE", "its signature does not verify by the public key that it gave", uri)
        return signature

    sign(_PROBE)
    return SigningKey("user", ours, uri, sign)


def _library() -> Any:  # noqa: ANN401 - its signers and their keys are taken as they come
    import securesystemslib.signer

    # It prints what it raises as well, past us and with whatever is in it.
    logging.getLogger("securesystemslib").setLevel(logging.CRITICAL + 1)
    return securesystemslib.signer


def _number(parts: _Parts) -> int | None:
    if not (parts.path or "0").isdecimal():
        raise ValueError("write hsm:ID?label=TOKEN, with the number of the key")
    return int(parts.path) if parts.path else None


def _azure(parts: _Parts) -> tuple[str, str]:
    host, _, rest = parts.path.partition("/")
    names = rest.split("/")
    if not host.endswith(".vault.azure.net") or len(names) != 2 or names[0] != "keys":
        raise ValueError("write azurekms://VAULT.vault.azure.net/keys/NAME")
    return host.removesuffix(".vault.azure.net"), names[1]


def _vault(parts: _Parts) -> Any:  # noqa: ANN401 - as securesystemslib gives it
    """Of the keys of Vault securesystemslib reads those of Edwards curves alone, and falls over others."""
    try:
        return _library().VaultSigner.import_(parts.path)
    except (ValueError, TypeError, KeyError) as error:
        if type(error) not in (ValueError, TypeError, KeyError, binascii.Error):
            raise
        raise ValueError(
            "the key is there, and not of the type ed25519; make one: vault write transit/keys/NAME type=ed25519"
        ) from None


def _imported(uri: str, secrets: SecretsHandler) -> tuple[str, Any]:
    """The URI as securesystemslib writes it, and the public key."""
    split = urlsplit(uri)
    if split.scheme != "hsm" and not f"{split.netloc}{split.path}".strip("/"):
        raise ValueError(f"it names no key; write {split.scheme}:KEY")
    parts = _Parts(f"{split.netloc}{split.path}".strip("/"), dict(parse_qsl(split.query)).get("label"))
    found: tuple[str, Any] = _IMPORTS[split.scheme](parts, secrets)
    return found


_IMPORTS: Mapping[str, Callable[[_Parts, SecretsHandler], Any]] = {
    "hsm": lambda parts, pin: _library().HSMSigner.import_(_number(parts), parts.label, pin),
    "awskms": lambda parts, _: _library().AWSSigner.import_(parts.path, _ECDSA),
    "gcpkms": lambda parts, _: _library().GCPSigner.import_(parts.path),
    "azurekms": lambda parts, _: _library().AzureSigner.import_(*_azure(parts)),
    "hv": lambda parts, _: _vault(parts),
}


def _public(public: Any, uri: str) -> PublicKey:  # noqa: ANN401 - securesystemslib's
    said = str(public.keyval["public"])
    if public.keytype == "ed25519":
        return public_key(Ed25519PublicKey.from_public_bytes(bytes.fromhex(said)), uri)
    return read_public(said.encode(), uri)


def _reached(uri: str, step: Callable[[], T]) -> T:
    """What `step` gets of a device. Raises Refused for whatever a device, its driver or its service raises."""
    try:
        return step()
    except (Refused, _Unasked):
        raise
    except Exception as error:  # noqa: BLE001 - five libraries, each with errors of its own
        raise refuse("KEY_DEVICE", fault_of(error, uri), uri) from None
