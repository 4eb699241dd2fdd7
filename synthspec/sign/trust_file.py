"""``<config>/trust.toml``: the pinned keys with their streams and validity, thresholds by stream, clocks that are believed.

A file that is not understood in full is refused: an unknown key in it may be a restriction that a later version means.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from synthspec.sign.files import read_limited
from synthspec.sign.refusal import refuse

TRUST_FILE = "trust.toml"
_MAX_BYTES = 1 << 20

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Glob = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_.*?\[\]!-]+$")]
Instant = Annotated[AwareDatetime, AfterValidator(lambda value: value.astimezone(UTC))]


class TrustEntry(BaseModel):
    """One pinned key. `revoked` stays in the file: a revoked key must be known to be refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    pem: Annotated[str, Field(max_length=4096, pattern=r"^[\x20-\x7e\n]*$")]
    streams: tuple[Glob, ...] = ()
    not_before: Instant | None = None
    not_after: Instant | None = None
    revoked: Instant | None = None


class Timestamps(BaseModel):
    """Whose clocks are believed: the certificates, in PEM, that stand behind RFC 3161 time stamps."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    roots: Annotated[str, Field(max_length=65536, pattern=r"^[\x20-\x7e\n]*$")] = ""


class TrustFile(BaseModel):
    """The whole file. `thresholds` maps a glob of streams to the number of distinct keys that must sign them."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    keys: Mapping[Name, TrustEntry] = {}
    thresholds: Mapping[Glob, Annotated[int, Field(ge=1, le=16, strict=True)]] = {}
    timestamps: Timestamps = Field(default_factory=Timestamps)


def read_trust_file(config: Path) -> TrustFile:
    """The trust file below `config`; an empty one where there is none.

    Raises:
        Refused: IO, KEY_PERMISSIONS when others can change it, TRUST_POLICY when it is not understood.

    """
    path = config / TRUST_FILE
    if not path.exists():
        # Checks of what a file might say are built when there is one.
        return TrustFile.model_construct(keys={}, thresholds={}, timestamps=Timestamps.model_construct(roots=""))
    import tomllib

    data, info = read_limited(path, _MAX_BYTES)
    if stat.S_IMODE(info.st_mode) & 0o022:
        raise refuse("KEY_PERMISSIONS", "others can change whom you trust; run: chmod go-w", str(path))
    try:
        return TrustFile.model_validate(tomllib.loads(data.decode()))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise refuse(
            "TRUST_POLICY", f"{place}: {first['msg']}; nothing is trusted until it is mended", str(path)
        ) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise refuse("TRUST_POLICY", f"not TOML ({error}); nothing is trusted until it is mended", str(path)) from None


def write_trust_file(config: Path, held: TrustFile) -> None:
    """Put `held` in the place of the trust file below `config`, whole or not at all.

    Raises:
        Refused: IO.

    """
    path = config / TRUST_FILE
    draft = path.with_name(f".{TRUST_FILE}.{secrets.token_hex(8)}")
    try:
        config.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(_toml(held))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise refuse("IO", f"cannot write it: {error.strerror}", str(path)) from None


def _toml(held: TrustFile) -> str:
    lines = ["# Whom this verifier believes. Written by `synthspec trust`; edit with care."]
    for name, entry in held.keys.items():
        lines += ["", f"[keys.{_string(name)}]", f"pem = {_string(entry.pem)}"]
        if entry.streams:
            lines.append(f"streams = [{', '.join(map(_string, entry.streams))}]")
        for label in ("not_before", "not_after", "revoked"):
            instant: datetime | None = getattr(entry, label)
            if instant is not None:
                lines.append(f"{label} = {instant.isoformat()}")
    if held.thresholds:
        lines += ["", "[thresholds]", *(f"{_string(glob)} = {number}" for glob, number in held.thresholds.items())]
    if held.timestamps.roots:
        lines += ["", "[timestamps]", f"roots = {_string(held.timestamps.roots)}"]
    return "\n".join(lines) + "\n"


def _string(text: str) -> str:
    # Nothing here but printable ASCII and line ends: then a JSON string is a TOML basic string.
    return json.dumps(text)
