"""Headers of a table as names of fields, and the units that headers seem to speak of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from synthspec.parse.source import hidden_reason
from synthspec.units import UnitError, known_spellings, parse_unit

LONGEST = 64
"""Characters of a proposed name; a longer header is cut."""
_LATIN = str.maketrans({"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d"})
_BRACKETED = re.compile(r"(.*\S)\s*[\[(]\s*([^\[\]()]+?)\s*[\])]\s*", re.DOTALL)
_UNMEANT = frozenset({"in", "min", "a", "at", "as", "b", "d", "t", "u", "e"})
"""Symbols that are more often something else: ``power_in``, ``price_min``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What is made of a header."""

    column: str
    """As it stands in the table."""
    name: str
    """A name that fields and expressions can have; the column's own where it is one."""
    unit: str = ""
    """A unit that the header names; offered, never taken."""


def headings(columns: Sequence[str]) -> tuple[Heading, ...]:
    """A heading for each of `columns`; no two names are the same, nor is one the header of another column."""
    taken = {column for column in columns if _plain(column) == column}
    made: list[Heading] = []
    for number, column in enumerate(columns, start=1):
        stem, unit = _split(column)
        name = _plain(column) if _plain(column) == column else _free(_plain(stem) or f"field_{number}", taken)
        taken.add(name)
        made.append(Heading(column=column, name=name, unit=unit or _ending(column)))
    return tuple(made)


def invisible(text: str) -> bool:
    """Whether `text` has characters that no document holds: invisible ones, and halves of pairs."""
    return hidden_reason(text) is not None or any(unicodedata.category(char) == "Cs" for char in text)


def _free(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}_{number}"
    return free


def _plain(text: str) -> str:
    """`text` in letters, digits and underscores, a letter first; empty where nothing of it is left."""
    latin = unicodedata.normalize("NFKD", text.strip().translate(_LATIN)).encode("ascii", "ignore").decode()
    return re.sub(r"\W+", "_", latin).strip("_").lstrip("_0123456789")[:LONGEST].rstrip("_")


def _split(column: str) -> tuple[str, str]:
    """``load`` and ``kW`` of ``load [kW]``; the whole header and nothing where what is in brackets is no unit."""
    match = _BRACKETED.fullmatch(column)
    return (match[1], match[2]) if match and _is_unit(match[2]) else (column, "")


def _ending(column: str) -> str:
    """The unit at the end of ``mean_radius_mm``; of the shipped ones alone, since many words are units somewhere."""
    stem, _, last = column.replace(" ", "_").rpartition("_")
    return last if stem and last not in _UNMEANT and last in known_spellings() else ""


def _is_unit(text: str) -> bool:
    try:
        parse_unit(text)
    except UnitError:
        return False
    return True
