"""Names of subjects: relative, printable, and the same file on every file system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from synthspec.ir.manifest_base import NAME
from synthspec.sign.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Names:
    """The files of one manifest: the signed bundle, further signatures, one a line, and the readable copy."""

    bundle: str
    approvals: str
    readable: str


FULL = Names("manifest.sigstore.json", "manifest.approvals.jsonl", "manifest.json")
PUBLIC = Names("manifest.public.sigstore.json", "manifest.public.approvals.jsonl", "manifest.public.json")
BUNDLE, APPROVALS, READABLE = FULL.bundle, FULL.approvals, FULL.readable
"""The files of a run that no subject may be: the signature itself, further signatures over the same content, one bundle a
line, and the readable copy of what they sign."""

_DEVICES = frozenset({"con", "prn", "aux", "nul"} | {f"{port}{i}" for port in ("com", "lpt") for i in range(10)})
_MAX_PART = 255
_MAX_NAME = 1024
_MAX_PARTS = 32


def fault(name: str) -> str:
    """Why `name` may not name a subject; empty when it may."""
    if len(name) > _MAX_NAME or name.count("/") >= _MAX_PARTS:
        return "is too long"
    if not NAME.fullmatch(name):
        return (
            "is not a relative path of plain names (letters, digits and _.+@=-, none leading but a letter, digit or _)"
        )
    if name.casefold() in {BUNDLE, APPROVALS, READABLE}:
        return "is reserved for the manifest itself"
    return next((wrong for part in name.split("/") if (wrong := _part(part))), "")


def _part(part: str) -> str:
    if len(part) > _MAX_PART:
        return "has a part that is too long"
    if part.endswith("."):
        return "has a part that ends with a dot"
    return "has a part that is a device on Windows" if part.split(".", maxsplit=1)[0].casefold() in _DEVICES else ""


def faults(names: Iterable[str]) -> Iterator[Refusal]:
    """Every name that is bad, said twice, or the same file as another on some file system."""
    seen: set[str] = set()
    taken: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in names:
        if wrong := fault(name):
            yield Refusal("BAD_NAME", f"the subject name {name!r} {wrong}", name)
        elif name in seen:
            yield Refusal("DUPLICATE_SUBJECT", f"{name} is named twice", name)
        elif other := _collision(name, taken, folders):
            yield Refusal("COLLIDING_SUBJECT", f"{name} and {other} are one place on some file systems", name)
        seen.add(name)
        taken.setdefault(name.casefold(), name)
        for folder in _above(name):
            folders.setdefault(folder.casefold(), folder)


def _collision(name: str, taken: dict[str, str], folders: dict[str, str]) -> str:
    """The earlier name that `name` collides with: by letter case, or as a file where the other has a folder."""
    folded = name.casefold()
    if folded in taken or folded in folders:
        return taken.get(folded) or folders[folded]
    for folder in _above(name):
        key = folder.casefold()
        if key in taken or folders.get(key, folder) != folder:
            return taken.get(key) or folders[key]
    return ""


def _above(name: str) -> Iterator[str]:
    parts = name.split("/")
    return ("/".join(parts[:length]) for length in range(1, len(parts)))
