"""Whom a verifier believes: public keys that somebody put there, never one that came along with a manifest."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthspec.sign.files import read_limited
from synthspec.sign.keys import DEVELOPMENT, load_key
from synthspec.sign.public_key import PublicKey, read_public
from synthspec.sign.refusal import Refusals, Refused, refuse, settled

_MAX_KEY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Trust:
    """Distinct trusted keys, and how many of them must have signed. A bundle carries one signature."""

    keys: tuple[PublicKey, ...]
    threshold: int = 1

    def require(self, signers: frozenset[bytes]) -> None:
        """Demand that enough distinct keys, by their SPKI, are among `signers`.

        Raises:
            Refused: TRUST_POLICY.

        """
        if len(signers) < self.threshold:
            raise refuse("TRUST_POLICY", f"{self.threshold} distinct trusted keys must sign, {len(signers)} did")


def trust(keys: Sequence[PublicKey], threshold: int = 1) -> Trust | Refusals:
    """Trust `keys`, each counted once however often it is given; an empty or impossible policy is refused."""
    return settled(lambda: _trust(keys, threshold))


def trusted_keys(config: Path, files: Sequence[Path] = ()) -> Trust | Refusals:
    """The public half of the development key, ``<config>/trust/*.pem``, and `files`.

    One bad key refuses them all: a policy that is partly understood is not a policy.
    """

    def step() -> Trust:
        own = _development(config / "keys" / f"{DEVELOPMENT}.pem")
        found, refused = list(own), list[Refused]()
        for path in (*sorted((config / "trust").glob("*.pem")), *files):
            try:
                found.append(_read(path))
            except Refused as error:
                refused.append(error)
        if refused:
            raise Refused(refusal for error in refused for refusal in error.refusals)
        return _trust(found, 1)

    return settled(step)


def _trust(keys: Sequence[PublicKey], threshold: int) -> Trust:
    distinct = tuple({key.spki: key for key in keys}.values())
    if not distinct:
        raise refuse("TRUST_POLICY", "no key is trusted; give one with --key or put it into the trust folder")
    if not 1 <= threshold <= len(distinct):
        message = f"{threshold} signatures are asked for, but there are {len(distinct)} distinct trusted keys"
        raise refuse("TRUST_POLICY", message)
    return Trust(distinct, threshold)


def _development(path: Path) -> tuple[PublicKey, ...]:
    if not path.exists():
        return ()
    key = load_key(path, kind=DEVELOPMENT)
    if isinstance(key, tuple):
        raise Refused(key)
    return (key.public,)


def _read(path: Path) -> PublicKey:
    data, info = read_limited(path, _MAX_KEY_BYTES)
    if stat.S_IMODE(info.st_mode) & 0o002:
        raise refuse("KEY_PERMISSIONS", "everybody can change this trusted key; run: chmod o-w", str(path))
    return read_public(data, str(path))
