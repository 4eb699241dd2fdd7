"""`--fix`: what can be mended in the text without asking, and what only with `--unsafe-fixes`.

Safe: spellings of units, dimensions and quantities, and `unit: dimensionless` for content without a unit. Unsafe: a
misspelt key, since the guess may be wrong. The result is validated again before anybody writes it, and dropped when
anything about it is worse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from synthspec.diag import Diagnostic
from synthspec.parse import Composed, compose, read_source
from synthspec.pipeline.front import Options, Spot, data_of, read_written, validate
from synthspec.rewrite.edits import Edit, Edited, apply_edits
from synthspec.rewrite.spelling import quantity_edits, unit_edits
from synthspec.rules import RULES
from synthspec.text import Places, Span

PASSES = 8
"""A key that is mended may uncover the next one; a file with more than this many layers is mended in two calls."""

_RULES = frozenset(rule.code for rule in RULES)


@dataclass(frozen=True, slots=True)
class Fixed:
    """The mended bytes of a file, and how many edits led there; none when there was nothing to mend."""

    data: bytes
    edits: int


def fixed(place: Spot, options: Options, wanted: Callable[[Diagnostic], bool], *, unsafe: bool) -> Fixed:
    """The file at `place` with what can be mended of the findings that are `wanted`, and its spellings.

    Raises OSError when it cannot be read.
    """
    current = replace(place, data=data_of(place))
    count = 0
    for _ in range(PASSES):
        step = _step(current, options, wanted, unsafe=unsafe)
        if step is None:
            break
        current, made = replace(current, data=step[0]), step[1]
        count += made
    return Fixed(data_of(current), count)


def _step(
    place: Spot, options: Options, wanted: Callable[[Diagnostic], bool], *, unsafe: bool
) -> tuple[bytes, int] | None:
    """One pass: every edit that is known, or only the safe ones where the others make things worse."""
    data = data_of(place)
    source = read_source(data, place.name)
    composed = None if source.value is None else compose(source.value).value
    if composed is None:
        return None
    found = validate(place, options).diagnostics
    chosen = [finding for finding in found if finding.file == place.name and wanted(finding)]
    safe = [*_spellings(place, composed), *_units(chosen, composed)]
    guessed = list(_guesses(chosen)) if unsafe else []
    text = composed.places.source.text
    mark = data[: len(data) - len(text.encode())]
    for edits in ([*safe, *guessed], safe):
        edited = apply_edits(text, edits)
        result = mark + edited.text.encode()
        if edits and result != data and not _worse(found, replace(place, data=result), options, edited):
            return result, len(edited.ranges)
    return None


def _spellings(place: Spot, composed: Composed) -> Iterator[Edit]:
    yield from unit_edits(composed)
    written = read_written(place).value
    if written is not None:
        yield from quantity_edits(written.model, written.composed.places)


def _guesses(found: Iterable[Diagnostic]) -> Iterator[Edit]:
    for finding in found:
        if finding.fix is not None:
            yield Edit(finding.fix.span.start, finding.fix.span.end, finding.fix.text)


def _units(found: Iterable[Diagnostic], composed: Composed) -> Iterator[Edit]:
    """`unit: dimensionless` for content without a unit: what a condition or a time is measured in, nobody can guess."""
    for finding in found:
        field = finding.path[:-1]
        if finding.code != "sref.unit-missing" or field[:1] != ("fields",):
            continue
        entry = composed.value["fields"]
        entry = entry[int(field[1])] if isinstance(entry, tuple) else None
        if isinstance(entry, dict) and entry.get("role") == "content":
            yield _unit(composed.places, field)


def _unit(places: Places, field: tuple[str | int, ...]) -> Edit:
    """The insertion of `unit: dimensionless` behind the dtype of `field`, or behind its shape where both are on a line."""
    text = places.source.text
    dtype, shape = places[*field, "dtype"], places.get((*field, "shape"))
    if text[places[field].value.start] == "{":
        at = shape.value.end if shape is not None else dtype.value.end
        return Edit(at, at, ", unit: dimensionless")
    behind = shape.value if shape is not None and shape.value.text.startswith("[") else dtype.value
    line = text.find("\n", behind.end)
    line = len(text) if line < 0 else line
    at = line - text.endswith("\r", behind.end, line)
    column = (dtype.key or dtype.value).begin[1] - 1
    return Edit(at, at, f"{text[at:line]}\n{' ' * column}unit: dimensionless")


def _worse(before: Sequence[Diagnostic], after: Spot, options: Options, edited: Edited) -> bool:
    """Whether the result has a fault that the edits brought: not one that another fault had only kept from being found."""
    known = {finding.fingerprint for finding in before}
    blocked = any(finding.is_error and finding.code not in _RULES for finding in before)
    new = [finding for finding in validate(after, options).diagnostics if finding.fingerprint not in known]
    return any(
        not blocked or finding.code.startswith("syntax.") or _touches(finding.span, after.name, edited)
        for finding in new
    )


def _touches(span: Span | None, name: str, edited: Edited) -> bool:
    if span is None or span.source.name != name:
        return False
    return any(start <= span.start < end for start, end in edited.ranges)
