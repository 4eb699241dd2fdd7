"""What this machine remembers of streams: the newest release it has seen, and the newest one it has signed.

A signature says who and what, never that nothing newer exists. Here a verifier notices that it is shown an older release
than before (ROLLBACK), two different ones with one number (FORK), or one whose predecessor is not the one it knows
(CHAIN_BROKEN); and a signer gives the next number. Files lie in ``$SYNTHSPEC_STATE_DIR``, else
``$XDG_STATE_HOME/synthspec``, else ``~/.local/state/synthspec``.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from synthspec.ir.manifest_base import Sha256
from synthspec.ir.manifest_origin import Release
from synthspec.sign.refusal import Refusal, Refusals, Refused, refuse, settled

_SEEN = "seen.json"
_SIGNED = "signed.json"


class Place(BaseModel):
    """The newest release of one stream: its number, the SHA-256 of its payload, and what it was made of."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    sequence: Annotated[int, Field(ge=1)]
    digest: Sha256
    trace: str = ""
    previous: Sha256 | None = None


class _Memory(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    streams: Mapping[str, Place] = {}


def state_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the memory lies; it need not exist. A relative XDG_STATE_HOME is ignored, as XDG says."""
    if chosen := environment.get("SYNTHSPEC_STATE_DIR"):
        return Path(chosen).absolute()
    home = environment.get("XDG_STATE_HOME", "")
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "state") / "synthspec"


def order(release: Release, digest: str, state: Path) -> Refusals:
    """Whether `release`, whose payload digests to `digest`, may follow what was seen of its stream; if so it is remembered."""

    def step() -> Refusals:
        with _held(state, _SEEN) as memory:
            last = memory.get(release.stream)
            if last is not None and (wrong := _order(release, digest, last)):
                return (wrong,)
            previous = None if release.previous is None else release.previous.sha256
            memory[release.stream] = Place(sequence=release.sequence, digest=digest, previous=previous)
        return ()

    return settled(step)


def _order(release: Release, digest: str, last: Place) -> Refusal | None:
    name, number = release.stream, release.sequence
    if number < last.sequence:
        return Refusal(
            "ROLLBACK", f"release {number} of {name}, but {last.sequence} was seen before", "/release/sequence"
        )
    if number == last.sequence and digest != last.digest:
        return Refusal("FORK", f"another release {number} of {name} was seen before", "/release/sequence")
    known = release.previous is not None and release.previous.sha256 == last.digest
    if number == last.sequence + 1 and not known:
        message = f"release {number} of {name} does not follow the release {last.sequence} that was seen before"
        return Refusal("CHAIN_BROKEN", message, "/release/previous")
    return None


@dataclass(frozen=True, slots=True)
class Numbered:
    """The number that the next release of a stream gets."""

    sequence: int
    previous: str | None


FIRST = Numbered(1, None)


class Numbering:
    """The streams that one key has signed on this machine; held open while a manifest is made."""

    def __init__(self, memory: dict[str, Place], key_id: str) -> None:
        self._memory = memory
        self._key_id = key_id

    def following(self, stream: str, trace: str) -> Numbered:
        """The place after the newest release; the same place again for a release that traces to the same run."""
        last = self._memory.get(self._name(stream))
        if last is None:
            return FIRST
        if last.trace == trace:
            return Numbered(last.sequence, last.previous)
        return Numbered(last.sequence + 1, last.digest)

    def remember(self, release: Release, trace: str, digest: str) -> None:
        """`release` was signed; its payload digests to `digest`."""
        previous = None if release.previous is None else release.previous.sha256
        place = Place(sequence=release.sequence, digest=digest, trace=trace, previous=previous)
        self._memory[self._name(release.stream)] = place

    def _name(self, stream: str) -> str:
        return f"{stream} {self._key_id}"


@contextmanager
def numbering(state: Path, key_id: str) -> Iterator[Numbering]:
    """The numbers that `key_id` has given in the memory at `state`. One signer at a time; what it adds is kept at the end.

    Raises:
        Refused: IO when the memory cannot be read or written, TRUST_POLICY when it is not understood.

    """
    with _held(state, _SIGNED) as memory:
        yield Numbering(memory, key_id)


@contextmanager
def _held(state: Path, name: str) -> Iterator[dict[str, Place]]:
    """The memory `name`, locked; written back, whole or not at all, when the block ends without an exception."""
    path = state / name
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(state / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(state, error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        memory = dict(_read(path))
        before = dict(memory)
        yield memory
        if memory != before:
            _write(path, memory)
    finally:
        os.close(lock)


def _read(path: Path) -> Mapping[str, Place]:
    try:
        return _Memory.model_validate_json(path.read_bytes()).streams
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(path, error) from None
    except ValidationError:
        message = "what was seen before cannot be read; restore the file, or remove it to begin again"
        raise refuse("TRUST_POLICY", message, str(path)) from None


def _write(path: Path, memory: Mapping[str, Place]) -> None:
    data = json.dumps({"streams": {name: place.model_dump() for name, place in sorted(memory.items())}}, indent=1)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with draft.open("x", encoding="utf-8") as file:
            file.write(data + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise _unusable(path, error) from None
    finally:
        draft.unlink(missing_ok=True)


def _unusable(path: Path, error: OSError) -> Refused:
    help_text = "set SYNTHSPEC_STATE_DIR to a folder that can be written"
    return refuse("IO", f"cannot keep what was seen of streams: {error.strerror}; {help_text}", str(path))
