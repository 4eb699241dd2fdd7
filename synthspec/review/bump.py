"""Which step of its semantic version a change asks for."""

from __future__ import annotations

from collections.abc import Sequence

from synthspec.ir.change import Bump, Change, Direction

STEPS = ("none", "patch", "minor", "major")
_ASKED = {
    Direction.LOOSENED: "major",
    Direction.BOTH: "major",
    Direction.UNKNOWN: "major",
    Direction.TIGHTENED: "minor",
    Direction.NEUTRAL: "patch",
}


def bump(old: str, new: str, changes: Sequence[Change]) -> Bump:
    """Major: who relied on the old promise may no longer. Minor: it holds, and more. Patch: it is the same promise.

    While the major number is 0 everything may change, and a minor step is enough for what would ask for a major one.
    """
    required = max((_ASKED[change.direction] for change in changes), key=STEPS.index, default="none")
    if old.startswith("0.") and required == "major":
        required = "minor"
    return Bump(old=old, new=new, required=required, enough=STEPS.index(_made(old, new)) >= STEPS.index(required))


def _made(old: str, new: str) -> str:
    before, after = _numbers(old), _numbers(new)
    if after <= before:
        return "none" if after < before or old == new else "patch"
    return next(step for step, left, right in zip(STEPS[:0:-1], before, after, strict=True) if left != right)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition("-")[0].split("."))
