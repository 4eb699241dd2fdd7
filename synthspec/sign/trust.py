"""Whom a verifier believes, about which streams and when: a policy that somebody wrote, never one that came along.

Keys are pinned in ``<config>/trust.toml`` (`trust_file` reads and writes it); a key given on the command line is believed
about everything. Thresholds count distinct keys by their SPKI.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from synthspec.sign.files import read_limited
from synthspec.sign.keys import DEVELOPMENT, load_key
from synthspec.sign.public_key import PublicKey, read_public
from synthspec.sign.refusal import Refusal, Refusals, Refused, refuse, settled
from synthspec.sign.timestamps import read_roots
from synthspec.sign.trust_file import TRUST_FILE, TrustFile, read_trust_file

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_MAX_KEY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key with what it is believed about. Instants have a time zone; `streams` are globs, none means every one."""

    public: PublicKey
    name: str = ""
    streams: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    revoked: datetime | None = None
    pinned: bool = False
    """Whether it stands in the trust file: then the order of its streams' releases is remembered."""

    def speaks_for(self, stream: str) -> bool:
        return not self.streams or any(fnmatchcase(stream, each) for each in self.streams)

    def faults(self, created_at: datetime, stamped: datetime | None = None) -> tuple[Refusal, ...]:
        """Why a signature that says it was made at `created_at` is not believed.

        A revoked key is not believed at any time: whoever stole it writes what instant he likes. But he cannot have made
        what a trusted clock `stamped` before the key was revoked; and a key that was valid then is believed, too.
        """
        who = f"the key {self.name or self.public.key_id}"
        if self.revoked is not None and (stamped is None or stamped >= self.revoked):
            return (Refusal("KEY_REVOKED", f"{who} was revoked at {self.revoked.isoformat()}"),)
        if self.not_before is not None and created_at < self.not_before:
            return (Refusal("KEY_NOT_VALID", f"{who} is believed only from {self.not_before.isoformat()} on"),)
        made_by = created_at if stamped is None else min(created_at, stamped)
        if self.not_after is not None and made_by > self.not_after:
            return (Refusal("KEY_NOT_VALID", f"{who} is believed only until {self.not_after.isoformat()}"),)
        return ()


@dataclass(frozen=True, slots=True)
class Trust:
    """The policy: keys, and how many distinct ones must sign, in general and by stream."""

    entries: tuple[TrustedKey, ...]
    threshold: int = 1
    thresholds: tuple[tuple[str, int], ...] = field(default=())
    """(glob of streams, number of keys); the largest that fits a stream counts."""
    roots: tuple[Certificate, ...] = ()
    """Whose clocks are believed. Without any, time stamps are not read."""

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        return tuple(entry.public for entry in self.entries)

    def needed(self, stream: str) -> int:
        """How many distinct keys must have signed a manifest of `stream`."""
        return max(self.threshold, *(number for glob, number in self.thresholds if fnmatchcase(stream, glob)), 0)

    def require(
        self, signers: Mapping[PublicKey, datetime | None], stream: str, created_at: datetime
    ) -> tuple[TrustedKey, ...]:
        """The entries that stand behind a manifest of `stream` which says it was made at `created_at`.

        With each signer comes the instant by which it is proved to have signed, if any is.

        Raises:
            Refused: KEY_REVOKED, KEY_NOT_VALID, or TRUST_POLICY when a signer has no say about the stream or too few
                distinct keys signed.

        """
        signed = {key.spki: stamped for key, stamped in signers.items()}
        behind = tuple(entry for entry in self.entries if entry.public.spki in signed)
        if wrong := tuple(fault for entry in behind for fault in entry.faults(created_at, signed[entry.public.spki])):
            raise Refused(wrong)
        if silent := [entry for entry in behind if not entry.speaks_for(stream)]:
            names = ", ".join(entry.name or entry.public.key_id for entry in silent)
            raise refuse("TRUST_POLICY", f"the key {names} is not trusted about the stream {stream}", "/release/stream")
        if len({entry.public.spki for entry in behind}) < (needed := self.needed(stream)):
            raise refuse("TRUST_POLICY", f"{needed} distinct trusted keys must sign, {len(behind)} did")
        return behind


def trust(keys: Sequence[PublicKey], threshold: int = 1) -> Trust | Refusals:
    """Trust `keys` about everything, each counted once however often given; an empty or impossible policy is refused."""
    return settled(lambda: _policy([TrustedKey(key) for key in keys], threshold, ()))


def trusted_keys(config: Path, files: Sequence[Path] = ()) -> Trust | Refusals:
    """The public half of the development key, the keys of ``<config>/trust.toml``, and `files`.

    One bad key refuses them all: a policy that is partly understood is not a policy. A key of the trust file that is
    also given keeps what the trust file says of it.
    """

    def step() -> Trust:
        held = read_trust_file(config)
        # What the trust file says of a key counts before anything that believes it without a limit.
        found = [*_pinned(held), *_development(config / "keys" / f"{DEVELOPMENT}.pem")]
        refused = list[Refused]()
        for path in files:
            try:
                found.append(TrustedKey(read_trusted(path), name=path.name))
            except Refused as error:
                refused.append(error)
        if refused:
            raise Refused(refusal for error in refused for refusal in error.refusals)
        roots = read_roots(held.timestamps.roots, f"{TRUST_FILE}, timestamps")
        return replace(_policy(found, 1, tuple(held.thresholds.items())), roots=roots)

    return settled(step)


def read_trusted(path: Path) -> PublicKey:
    """The public key at `path`.

    Raises:
        Refused: as `public_key.read_public`; KEY_PERMISSIONS when everybody can change the file.

    """
    data, info = read_limited(path, _MAX_KEY_BYTES)
    if stat.S_IMODE(info.st_mode) & 0o002:
        raise refuse("KEY_PERMISSIONS", "everybody can change this trusted key; run: chmod o-w", str(path))
    return read_public(data, str(path))


def _policy(found: Sequence[TrustedKey], threshold: int, thresholds: tuple[tuple[str, int], ...]) -> Trust:
    distinct: dict[bytes, TrustedKey] = {}
    for entry in found:
        distinct.setdefault(entry.public.spki, entry)
    if not distinct:
        raise refuse("TRUST_POLICY", "no key is trusted; give one with --key, or run: synthspec trust add NAME FILE")
    if not 1 <= threshold <= len(distinct):
        message = f"{threshold} signatures are asked for, but there are {len(distinct)} distinct trusted keys"
        raise refuse("TRUST_POLICY", message)
    return Trust(tuple(distinct.values()), threshold, thresholds)


def _pinned(held: TrustFile) -> tuple[TrustedKey, ...]:
    """The keys of the trust file. Raises Refused where one key has two names: revoking one would leave the other."""
    found = tuple(
        TrustedKey(
            read_public(entry.pem.encode(), f"trust.toml, {name}"),
            name=name,
            streams=entry.streams,
            not_before=entry.not_before,
            not_after=entry.not_after,
            revoked=entry.revoked,
            pinned=True,
        )
        for name, entry in held.keys.items()
    )
    names: dict[bytes, str] = {}
    for entry in found:
        if (first := names.setdefault(entry.public.spki, entry.name)) != entry.name:
            message = (
                f"{first} and {entry.name} are one key; remove one of them, so that what is said of it is said once"
            )
            raise refuse("TRUST_POLICY", message, TRUST_FILE)
    return found


def _development(path: Path) -> tuple[TrustedKey, ...]:
    if not path.exists():
        return ()
    key = load_key(path, kind=DEVELOPMENT)
    if isinstance(key, tuple):
        raise Refused(key)
    return (TrustedKey(key.public, name=DEVELOPMENT),)
