"""Comments that excuse findings: one more excuses more, one that lasts longer does so longer."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.check.ignores import Ignore, ignores
from synthspec.ir.change import CODE, Change, Direction, Risk
from synthspec.text import Places

Known = dict[tuple[str, str], tuple[str, Ignore]]
"""By the code and what its line says: when it ends, and the comment."""


def excuse_changes(old: Places | None, new: Places | None, document: str, file: str) -> Iterator[Change]:
    """The comments that came, went, or end on another day."""
    before, after = _known(old), _known(new)
    for key in dict.fromkeys((*before, *after)):
        was, now = before.get(key), after.get(key)
        if was is not None and now is not None:
            if was[0] != now[0]:
                later = not now[0] or (bool(was[0]) and now[0] > was[0])
                found = Direction.LOOSENED if later else Direction.TIGHTENED
                yield _change(key[0], found, (was, now), (document, file), "ends on another day")
        else:
            found = Direction.LOOSENED if was is None else Direction.TIGHTENED
            yield _change(key[0], found, (was, now), (document, file), "is new" if was is None else "is gone")


def _known(places: Places | None) -> Known:
    if places is None or "synthspec:" not in places.source.text:
        return {}
    found: Known = {}
    for ignore in ignores(places):
        line = places.source.line(ignore.line).partition("#")[0].strip()
        for code in ignore.codes:
            found[code, line] = (ignore.terms.get("expires", ""), ignore)
    return found


def _change(
    code: str,
    direction: Direction,
    sides: tuple[tuple[str, Ignore] | None, tuple[str, Ignore] | None],
    where: tuple[str, str],
    says: str,
) -> Change:
    was, now = sides
    either = now or was
    return Change(
        code="review.ignore-added" if direction is Direction.LOOSENED else CODE[direction],
        direction=direction,
        risk=Risk.MEDIUM,
        says=f"the comment that ignores {code} {says}",
        document=where[0],
        file=where[1],
        path=(),
        name=("#", code, "" if either is None else either[1].span.text),
        old=None if was is None else was[1].span.text,
        new=None if now is None else now[1].span.text,
        span=None if now is None else now[1].span,
        old_span=None if was is None else was[1].span,
    )
