"""What an op reads beside its inputs, by content: a file may change between two runs, and then the node is another one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from synthspec.execute.core.source import data_error, locate, read_digest
from synthspec.ir.ops import Arrive, Bind, Embed, Fit, Mark, Measure, Op
from synthspec.watermark import KeyFault, key_path

Outside = tuple[tuple[str, str], ...]


def outside(op: Op, root: Path, keys: Path | None = None) -> Outside:
    """(name in the op, SHA-256) of every file that `op` reads from outside the plan.

    Raises DataError when one is not there or is not what the plan pins.
    """
    if isinstance(op, Mark):
        return ((f"watermark key {op.key}", _key(op.key, keys)),)
    return tuple((name, _checked(name, pinned, root)) for name, pinned in _reads(op))


def _key(name: str, keys: Path | None) -> str:
    """The SHA-256 of the file of a key: what may be known of it, and what the manifest names it by."""
    try:
        path = key_path(keys or Path(), name)
    except KeyFault as fault:
        raise data_error("schema.not-found", str(fault), "choose another name") from None
    if keys is None or not path.is_file():
        message = f"there is no watermark key called {name}"
        raise data_error("schema.not-found", message, f"synthspec watermark new {name}")
    return read_digest(path)


def _reads(op: Op) -> tuple[tuple[str, str], ...]:
    """(name, pinned SHA-256 or empty)."""
    if isinstance(op, Bind):
        return ((op.source, op.sha256), *((each.source, each.sha256) for each in op.references))
    if isinstance(op, Arrive):
        return ((op.path, op.sha256),)
    if isinstance(op, (Embed, Measure)) and op.features.weights:
        return ((op.features.weights, op.features.sha256 or ""),)
    if isinstance(op, Fit) and op.training.init_from is not None:
        return ((op.training.init_from.path, op.training.init_from.sha256 or ""),)
    return ()


def _checked(name: str, pinned: str, root: Path) -> str:
    found = read_digest(locate(name, root))
    if pinned and found != pinned:
        raise data_error(
            "data.digest",
            f"{name} has SHA-256 {found}, but {pinned} is pinned",
            "restore the pinned content, or pin the new one after looking at what changed",
        )
    return found


def pin(op: Op, seen: Outside) -> Op:
    """`op` with the digests of its sources written in, so that the kernel refuses a file that changed since."""
    if isinstance(op, Bind):
        found = zip(op.references, seen[1:], strict=True)
        references = tuple(replace(each, sha256=sha256) for each, (_, sha256) in found)
        return replace(op, sha256=seen[0][1], references=references)
    return replace(op, sha256=seen[0][1]) if isinstance(op, Arrive) else op
