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

from synthspec.backend.protocol import DataError, Identity
from synthspec.ir.families import DpSgd
from synthspec.ir.ops import Op, Statistics

_BYTES = 32
_CODE = "P405-4.secret"
_BESIDE = ".statistics"
_FORM = 2
_ANOTHER = "name another file, which need not exist"


@dataclass(frozen=True, slots=True)
class Secret:
    """256 bits from the operating system, and 256 bits of salt. Neither is ever printed."""

    seed: bytes = field(repr=False)
    salt: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> Secret:
        """A secret that nobody has."""
        return cls(secrets.token_bytes(_BYTES), secrets.token_bytes(_BYTES))

    def of(self, identity: Identity) -> Secret:
        """What this secret is in one execution: in any other one its keys, its noise and its commitment are others.

        Noise is used once. The same noise on sums that differ (another op, other data, another version of a kernel, the
        last bits of another processor) is no noise in the difference of the two.
        """
        seed = hmac.digest(self.seed, f"synthspec.secret.v{_FORM}/{identity.key}".encode(), "sha256")
        return Secret(seed, self.salt)

    def key(self, purpose: str) -> bytes:
        """256 bits for one purpose: what is known of one key says nothing of another."""
        return hmac.digest(self.seed, f"synthspec.privacy.v1/{purpose}".encode(), "sha256")

    @property
    def commitment(self) -> str:
        """HMAC-SHA256 of the seed under the salt, in hex: binds to the seed, and tells nothing without the salt."""
        return hmac.new(self.salt, self.seed, hashlib.sha256).hexdigest()


def settle(path: Path | None, identity: Identity | None) -> Secret:
    """The secret of the execution `identity`, from the file `path`, which is made (mode 0600) where there is none.

    A forgotten one without a path. Raises DataError for a file that others can read, that was made for another
    execution, or that is no file of secrets; ValueError for a file without an execution that it is for.
    """
    if path is None:
        return Secret.fresh()
    if identity is None:
        raise ValueError("a secret that is kept belongs to one execution")
    try:
        return keep(path, Secret.fresh(), identity)
    except FileExistsError:
        return _read(path, identity)


def kept(path: Path, identity: Identity) -> Secret | None:
    """The secret of the execution `identity` in the file `path`; None where there is no file. Raises as `settle`."""
    return _read(path, identity) if path.exists() else None


def keep(path: Path, secret: Secret, identity: Identity) -> Secret:
    """What `secret` is in the execution `identity`, once it is kept in the new file `path`. Raises FileExistsError."""
    text = json.dumps(
        {
            "form": _FORM,
            "made_for": identity.key,
            "facts": dict(identity.facts),
            "salt": secret.salt.hex(),
            "seed": secret.seed.hex(),
        }
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(descriptor)
    return secret.of(identity)


def secret_of(op: Op, path: Path) -> Path:
    """Where the secret of `op` lies when that of the mechanism is in `path`: statistics beside a training have their own."""
    beside = isinstance(op, Statistics) and isinstance(op.privacy, DpSgd)
    return path.with_name(path.name + _BESIDE) if beside else path


def _read(path: Path, identity: Identity) -> Secret:
    # Nothing of the content enters a message but facts of a machine: not even a part of a damaged file.
    if path.stat().st_mode & 0o077:
        raise DataError(_CODE, f"others may read the secrets in {path.name}", f"chmod 600 {path.name}")
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        secret = Secret(bytes.fromhex(stored["seed"]), bytes.fromhex(stored["salt"]))
        if stored.get("form") != _FORM:
            raise _of_before(path)
        made_for, facts = str(stored["made_for"]), {str(name): str(each) for name, each in stored["facts"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(_CODE, f"{path.name} is no file of secrets", _ANOTHER) from None
    if min(len(secret.seed), len(secret.salt)) < _BYTES:
        raise DataError(_CODE, f"the secrets in {path.name} are too short", _ANOTHER)
    if not hmac.compare_digest(made_for, identity.key):
        raise _of_another(path, facts, identity.facts)
    return secret.of(identity)


def _of_before(path: Path) -> DataError:
    return DataError(
        _CODE,
        f"the secrets in {path.name} were made by another version of synthspec, which draws other noise from them",
        "replay with the version that the manifest names in trace.build; for a run of this version name another file, "
        "which need not exist",
    )


def _of_another(path: Path, then: Mapping[str, str], now: Mapping[str, str]) -> DataError:
    absent = "none"
    changed = [
        f"{name} {then.get(name, absent)} then, {now.get(name, absent)} now"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]
    if not changed or not now:
        message = f"the secrets in {path.name} are those of another training or of other data"
        return DataError(_CODE, message, "name another file: noise that is used twice is none")
    return DataError(
        _CODE,
        f"the secrets in {path.name} were made for another execution: {'; '.join(changed)}",
        "replay where these are as they were; for a release of its own name another file: the same noise on sums that "
        "differ in their last bits is none",
    )
