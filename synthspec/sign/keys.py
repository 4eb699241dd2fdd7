"""Signing keys on disk: made with mode 0600, refused when others can read them, never printed.

Keys live in ``<config>/keys/NAME.pem``; ``development`` is made on first use. `<config>` is ``$SYNTHSPEC_CONFIG_DIR``, else
``$XDG_CONFIG_HOME/synthspec``, else ``~/.config/synthspec``.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from synthspec.sign.files import read_limited
from synthspec.sign.public_key import Algorithm, PublicKey, public_key
from synthspec.sign.refusal import Refusals, refuse, settled

KeyKind = Literal["development", "user"]
DEVELOPMENT: Literal["development"] = "development"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_MAX_KEY_BYTES = 64 * 1024
_KDF_ROUNDS = 64
"""Of bcrypt: about half a second a guess."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that can sign. That of a file signs alike each time (RFC 6979, RFC 8032)."""

    kind: KeyKind
    public: PublicKey
    source: str
    """The file that holds it, or the URI of the device that does."""
    _sign: Callable[[bytes], bytes] = field(repr=False, compare=False)

    @property
    def key_id(self) -> str:
        return self.public.key_id

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return Path(self.source).stem

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`: DER for ECDSA, 64 bytes for Ed25519. Raises Refused where a device fails."""
        return self._sign(message)


def config_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of this program's configuration; it need not exist. A relative XDG_CONFIG_HOME is ignored, as XDG says."""
    if chosen := environment.get("SYNTHSPEC_CONFIG_DIR"):
        return Path(chosen).absolute()
    home = environment.get("XDG_CONFIG_HOME", "")
    base = Path(home) if Path(home).is_absolute() else Path.home() / ".config"
    return base / "synthspec"


def development_key(config: Path) -> SigningKey | Refusals:
    """The development key below `config`, made now if there is none. Two processes at once end up with one key."""
    path = config / "keys" / f"{DEVELOPMENT}.pem"

    def step() -> SigningKey:
        if not path.exists():
            _write_new(path, ec.generate_private_key(ec.SECP256R1()), must_be_new=False)
        return _load(path, DEVELOPMENT, None)

    return settled(step)


def create_key(
    config: Path, name: str, algorithm: Algorithm = "ecdsa-p256-sha256", passphrase: bytes | None = None
) -> SigningKey | Refusals:
    """Make the key `name` below `config`; KEY_EXISTS when there is one.

    With a passphrase it is written in OpenSSH form under bcrypt (the library's PKCS#8 has too few rounds), and its public
    half beside it as ``NAME.pub``, so that it can be listed without the passphrase.
    """

    def step() -> SigningKey:
        if not _NAME.fullmatch(name):
            raise refuse("BAD_NAME", "a key's name is up to 64 letters, digits, dots, dashes and underscores", name)
        path = config / "keys" / f"{name}.pem"
        ecdsa = algorithm == "ecdsa-p256-sha256"
        private = ec.generate_private_key(ec.SECP256R1()) if ecdsa else ed25519.Ed25519PrivateKey.generate()
        _write_new(path, private, must_be_new=True, passphrase=passphrase)
        made = _load(path, DEVELOPMENT if name == DEVELOPMENT else "user", passphrase)
        if passphrase is not None:
            path.with_suffix(".pub").write_text(made.public.pem, encoding="utf-8")
        return made

    return settled(step)


def load_key(path: Path, passphrase: bytes | None = None, kind: KeyKind = "user") -> SigningKey | Refusals:
    """Read a private key in PKCS#8 (or SEC1) PEM or in OpenSSH form; P-256 and Ed25519 only."""
    return settled(lambda: _load(path, kind, passphrase))


def list_keys(config: Path) -> tuple[SigningKey | Refusals, ...]:
    """Every key below `config`, by name; a key that cannot be used comes as the reason why."""
    return tuple(
        load_key(path, kind=DEVELOPMENT if path.stem == DEVELOPMENT else "user")
        for path in sorted((config / "keys").glob("*.pem"))
    )


def _load(path: Path, kind: KeyKind, passphrase: bytes | None) -> SigningKey:
    data, info = read_limited(path, _MAX_KEY_BYTES)
    if stat.S_IMODE(info.st_mode) & 0o077:
        raise refuse("KEY_PERMISSIONS", "others can read or change this private key; run: chmod 600", str(path))
    if info.st_uid != os.geteuid():
        raise refuse("KEY_PERMISSIONS", "this private key belongs to another user", str(path))
    private = _parse(data, passphrase, str(path))
    if not isinstance(private, (ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)):
        raise refuse("KEY_TYPE", "only ECDSA P-256 and Ed25519 keys are supported", str(path))
    return SigningKey(kind, public_key(private.public_key(), str(path)), str(path), partial(_signature, private))


def _signature(private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, message: bytes) -> bytes:
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(message)
    return private.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def _parse(data: bytes, passphrase: bytes | None, where: str) -> object:
    openssh = data.lstrip().startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    load = load_ssh_private_key if openssh else load_pem_private_key
    try:
        return load(data, passphrase)
    except TypeError:
        wanted = "is encrypted and needs a passphrase" if passphrase is None else "is not encrypted; give no passphrase"
        raise refuse("KEY_PASSPHRASE", f"this private key {wanted}", where) from None
    except UnsupportedAlgorithm as error:
        needed = "; run: pip install 'synthspec[keys]'" if "bcrypt" in str(error) else ""
        raise refuse("KEY_TYPE", f"this private key is not supported: {error}{needed}", where) from None
    except ValueError:
        if passphrase is not None:
            raise refuse("KEY_PASSPHRASE", "wrong passphrase, or a damaged private key", where) from None
        raise refuse("KEY_FORMAT", "not a private key in PKCS#8 or OpenSSH form", where) from None


def _written(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, passphrase: bytes | None) -> bytes:
    if passphrase is None:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    how = PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(_KDF_ROUNDS).build(passphrase)
    try:
        return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, how)
    except UnsupportedAlgorithm:
        raise refuse("KEY_TYPE", "an encrypted key needs bcrypt; run: pip install 'synthspec[keys]'") from None


def _write_new(
    path: Path,
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
    *,
    must_be_new: bool,
    passphrase: bytes | None = None,
) -> None:
    """Write `key` so that the file appears whole, readable by its owner alone, and never over another."""
    pem = _written(key, passphrase)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
            # A link fails where the name is taken, which a rename would not: nobody's key is ever replaced.
            path.hardlink_to(draft)
        finally:
            draft.unlink()
    except FileExistsError:
        if must_be_new:
            raise refuse("KEY_EXISTS", "there is a key of this name; choose another or remove it", str(path)) from None
    except OSError as error:
        raise refuse("IO", f"cannot write a key: {error.strerror}", str(path)) from None
