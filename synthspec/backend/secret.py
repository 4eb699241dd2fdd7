"""What must stay secret: the seed of the noise and of the sampling, its file, and the commitment that may be shown."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from synthspec.backend.protocol import Artifact, DataError
from synthspec.ir.canonical import digest
from synthspec.ir.families import DpSgd
from synthspec.ir.ops import Op, Statistics

_BYTES = 32
_CODE = "P405-4.secret"
_BESIDE = ".statistics"


@dataclass(frozen=True, slots=True)
class Secret:
    """256 bits from the operating system, and 256 bits of salt. Neither is ever printed."""

    seed: bytes = field(repr=False)
    salt: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> Secret:
        """A secret that nobody has."""
        return cls(secrets.token_bytes(_BYTES), secrets.token_bytes(_BYTES))

    def key(self, purpose: str) -> bytes:
        """256 bits for one purpose: what is known of one key says nothing of another."""
        return hmac.digest(self.seed, f"synthspec.privacy.v1/{purpose}".encode(), "sha256")

    @property
    def commitment(self) -> str:
        """HMAC-SHA256 of the seed under the salt, in hex: binds to the seed, and tells nothing without the salt."""
        return hmac.new(self.salt, self.seed, hashlib.sha256).hexdigest()


def settle(path: Path | None, bound_to: str) -> Secret:
    """The secret in the file `path`, which is made (mode 0600) where there is none; a forgotten one without a path.

    `bound_to` is the digest of the training and of the data that it reads. Noise is used for one training only: the same
    noise on other data would cancel in the difference of two releases. Raises DataError for a file that others can
    read, that belongs to another training, or that is no file of secrets.
    """
    if path is None:
        return Secret.fresh()
    try:
        return _made(path, bound_to)
    except FileExistsError:
        return _read(path, bound_to)


def bound_to(op: Op, inputs: Mapping[str, Artifact]) -> str:
    """The digest of an op and of everything that it reads, in hex. It is secret itself: it digests private data."""
    contents = {
        f"{port}/{name}": _digest(inputs[port].path(name)) for port in sorted(inputs) for name in inputs[port].files
    }
    return digest("synthspec.privacy.secret.v1", [op, contents])


def secret_of(op: Op, path: Path) -> Path:
    """Where the secret of `op` lies when that of the mechanism is in `path`: statistics beside a training have their own."""
    beside = isinstance(op, Statistics) and isinstance(op.privacy, DpSgd)
    return path.with_name(path.name + _BESIDE) if beside else path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _made(path: Path, bound_to: str) -> Secret:
    secret = Secret.fresh()
    text = json.dumps({"bound_to": bound_to, "salt": secret.salt.hex(), "seed": secret.seed.hex()})
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(descriptor)
    return secret


def _read(path: Path, bound_to: str) -> Secret:
    # Nothing of the content enters a message: not even a part of a damaged file.
    if path.stat().st_mode & 0o077:
        raise DataError(_CODE, f"others may read the secrets in {path.name}", f"chmod 600 {path.name}")
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        secret = Secret(bytes.fromhex(stored["seed"]), bytes.fromhex(stored["salt"]))
        owner = str(stored["bound_to"])
    except (ValueError, KeyError, TypeError):
        raise DataError(
            _CODE, f"{path.name} is no file of secrets", "name another file, which need not exist"
        ) from None
    if min(len(secret.seed), len(secret.salt)) < _BYTES:
        raise DataError(_CODE, f"the secrets in {path.name} are too short", "name another file, which need not exist")
    if not hmac.compare_digest(owner, bound_to):
        raise DataError(
            _CODE,
            f"the secrets in {path.name} are those of another training or of other data",
            "name another file: noise that is used twice is none",
        )
    return secret
