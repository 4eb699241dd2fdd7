"""Time stamps over the signature of a bundle: what a clock is asked, and its answer put where other tools look for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from synthspec.pipeline.verifying import bundle_in
from synthspec.sign import Refusals, config_dir, read_bundle
from synthspec.sign.bundle import read_bundle_bytes, stamped
from synthspec.sign.files import read_limited
from synthspec.sign.refusal import Refused, refuse, settled
from synthspec.sign.timestamps import read_roots, request, stamped_at
from synthspec.sign.trust_file import TRUST_FILE, read_trust_file
from synthspec.store.atomic import write_atomically

_MAX_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Stamped:
    """The bundle that was written, and by when its signature was made if the clock is believed."""

    bundle: Path
    by: datetime
    believed: bool
    """Whether a root of the trust file stands behind the clock."""


def write_request(path: Path, query: Path) -> Refusals:
    """Write to `query` what to send to a clock, about the bundle at `path` or in the folder `path`."""

    def step() -> Refusals:
        _write(query, request(read_bundle_bytes(_read(path)).signature))
        return ()

    return settled(step)


def add_stamp(path: Path, reply: Path, answers: Path | None = None) -> Stamped | Refusals:
    """Put the `reply` of a clock into the bundle at `path`, once it is shown to stamp the signature in there.

    `answers` is the request that it must answer. Where roots of clocks are trusted, one must stand behind it.
    """

    def step() -> Stamped:
        roots = read_roots(read_trust_file(config_dir()).timestamps.roots, TRUST_FILE)
        data, token = _read(path), read_limited(reply, _MAX_BYTES)[0]
        asked = b"" if answers is None else read_limited(answers, _MAX_BYTES)[0]
        by = stamped_at(token, read_bundle_bytes(data).signature, roots, asked)
        bundle = bundle_in(path)
        _write(bundle, stamped(data, token))
        return Stamped(bundle, by, bool(roots))

    return settled(step)


def _read(path: Path) -> bytes:
    data = read_bundle(bundle_in(path))
    if not isinstance(data, bytes):
        raise Refused(data)
    return data


def _write(path: Path, data: bytes) -> None:
    try:
        write_atomically(path, data, path.parent, 0o644)
    except OSError as error:
        raise refuse("IO", f"cannot write it: {error.strerror}", str(path)) from None
