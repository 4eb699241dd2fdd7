"""Spellings: many are read, one is written. Quantities in any document, units and dimensions in an SRef."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import BaseModel

from synthspec.parse import Composed, Value
from synthspec.rewrite.edits import Edit
from synthspec.rewrite.models import walk
from synthspec.text import Path, Places
from synthspec.units import Quantity, Unit, UnitError, parse_dimension, parse_unit

_PLAIN = re.compile(r"[0-9A-Za-z+-][^#:,\[\]{}\"'\n]*")
_NAME = re.compile(r"Δ?°[A-Za-z]*|[^\W\d]\w*")
_ONE = re.compile(r" *1 *[*·⋅]? *(?=[^\s\d/^*·⋅.)⁻⁰¹²³⁴⁵⁶⁷⁸⁹])")
_FIVE_BASES = re.compile(r"\b(?:Qe|Temp)\b")


def quantity_edits(model: BaseModel, places: Places) -> Iterator[Edit]:
    """Each quantity as its canonical text: ``50 ms`` for ``50.0 milliseconds``. The unit chosen is kept."""
    for path, value in walk(model):
        if isinstance(value, Quantity) and path in places:
            yield from respelled(places, path, value.text, value.canonical)


def unit_edits(composed: Composed) -> Iterator[Edit]:
    """Units and dimensions of an SRef in the spelling of the language: ``mm`` for ``1 millimeters``, [I] [T] for [Qe]."""
    if composed.value.get("kind") != "SRef":
        return
    for path, entry in _fields(composed.value):
        unit, dim = entry.get("unit"), entry.get("dim")
        if unit == 1 and not isinstance(unit, bool):
            yield from respelled(composed.places, (*path, "unit"), "1", "dimensionless")
        elif isinstance(unit, str):
            yield from respelled(composed.places, (*path, "unit"), unit, unit_spelling(unit))
        if isinstance(dim, str):
            yield from respelled(composed.places, (*path, "dim"), dim, dimension_spelling(dim))


def unit_spelling(text: str) -> str:
    """`text` with every unit named by its canonical symbol and without a factor 1; as it is where that cannot be done."""
    meant = _unit(text)
    if meant is None:
        return text
    if text.strip() == "1":
        return "dimensionless"
    spelled = _NAME.sub(_symbol, _ONE.sub("", text, count=1))
    return spelled if _unit(spelled) == meant else text


def dimension_spelling(text: str) -> str:
    """`text` over the seven bases where it is written over five."""
    if not _FIVE_BASES.search(text):
        return text
    try:
        return str(parse_dimension(text))
    except UnitError:
        return text


def respelled(places: Places, path: Path, old: str, new: str) -> Iterator[Edit]:
    """The edit that writes `new` for the scalar `old` at `path`, in the quotes it has; none where it needs others."""
    span = places[path].value if path in places else None
    if span is None or old == new:
        return
    quote = span.text[:1] if span.text[:1] in ("'", '"') else ""
    # Where the text is not simply what it means (escapes, folded lines), it is left alone.
    if span.text != f"{quote}{old}{quote}" or not (quote or _PLAIN.fullmatch(new)):
        return
    yield Edit(span.start, span.end, f"{quote}{new}{quote}")


def _fields(document: dict[str, Value]) -> Iterator[tuple[Path, dict[str, Value]]]:
    path = document.get("path")
    tables: tuple[tuple[Path, Value], ...] = (
        (("fields",), document.get("fields")),
        (("path", "fields"), path.get("fields") if isinstance(path, dict) else None),
    )
    for where, table in tables:
        for number, entry in enumerate(table if isinstance(table, tuple) else ()):
            if isinstance(entry, dict):
                yield (*where, number), entry


def _symbol(name: re.Match[str]) -> str:
    unit = _unit(name[0])
    return name[0] if unit is None else unit.symbol


def _unit(text: str) -> Unit | None:
    try:
        return parse_unit(text)
    except UnitError:
        return None
