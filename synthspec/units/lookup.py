"""From an allowed name to its unit: the shipped table with its prefixes, and pint for what is rare."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache, lru_cache

from synthspec.units.dimension import DIMENSIONLESS, Dimension
from synthspec.units.spellings import (
    ENTRIES,
    INFORMATION,
    LEVEL,
    MICRO,
    OWN,
    PREFIXES,
    REFERENCED,
    Entry,
)
from synthspec.units.table import ROWS
from synthspec.units.unit import INFORMATION as BITS
from synthspec.units.unit import LEVEL as RATIO
from synthspec.units.unit import POWER_LEVEL, ZERO, QuantityKind, Scale, Unit

_LOOKALIKE = {0x2126: "Ω", 0x212B: "Å"}  # the ohm and angstrom signs, which Unicode keeps beside the letters


@lru_cache(maxsize=4096)
def unit_named(name: str) -> Unit | None:
    """The unit that `name` spells (`km`, `kilometers`, `degC`), or None when there is no such allowed name."""
    found = _spelled().get(name.translate(_LOOKALIKE))
    if found is not None:
        return _build(*found)
    # The import of pint costs a third of a second, so only a word that could be a rare unit gets as far.
    from synthspec.units.registry import look_up

    row = look_up(name)
    if row is None:
        return None
    return Unit(name, QuantityKind(Dimension.of(row.exponents)), Fraction(row.factor), Fraction(row.offset))


def known_spellings() -> Iterator[str]:
    """Every spelling of the shipped table, prefixes and plurals included."""
    yield from _spelled()


@cache
def _spelled() -> dict[str, tuple[Entry, str]]:
    """Spelling: (entry, prefix symbol). Written out once (1 ms), so that no name is read in two ways."""
    spelled: dict[str, tuple[Entry, str]] = {}
    for entry in ENTRIES:
        for spelling, prefix in _spellings(entry):
            if spelling in spelled:
                raise ValueError(f"{spelling!r} would be two units")
            spelled[spelling] = (entry, prefix)
    return spelled


def _spellings(entry: Entry) -> Iterator[tuple[str, str]]:
    for symbol in entry.symbols.split():
        yield symbol, ""
        for prefix in entry.prefixes.split():
            yield prefix + symbol, prefix
            if prefix == "u":
                yield from ((micro + symbol, prefix) for micro in MICRO)
    for name in entry.names.split():
        plural = () if name[-1] in "sxz" or name in {"inch", "foot", "feet"} else (name + "s",)
        for form in (name, *plural):
            yield form, ""
            yield from ((PREFIXES[prefix][0] + form, prefix) for prefix in entry.prefixes.split())


@lru_cache(maxsize=1024)
def _build(entry: Entry, prefix: str) -> Unit:
    multiple = Fraction(PREFIXES[prefix][1]) if prefix else Fraction(1)
    symbol = (prefix if entry.symbols else PREFIXES[prefix][0] if prefix else "") + entry.canonical
    if entry.unit in LEVEL:
        factor, offset = map(Fraction, LEVEL[entry.unit])
        kind = POWER_LEVEL if entry.unit in REFERENCED else RATIO
        return Unit(symbol, kind, multiple * factor, offset, Scale.LOGARITHMIC)
    if entry.unit in INFORMATION:
        return Unit(symbol, BITS, multiple * Fraction(INFORMATION[entry.unit]), ZERO, Scale.LOGARITHMIC)
    if entry.unit in OWN:
        own, like = OWN[entry.unit]
        dimension = Dimension.of(ROWS[like][2])
        return Unit(symbol, QuantityKind(dimension), multiple * Fraction(own))
    row = ROWS[entry.unit]
    dimension = Dimension.of(row[2]) if any(row[2]) else DIMENSIONLESS
    shift = Fraction(row[1])
    return Unit(
        symbol,
        QuantityKind(dimension),
        multiple * Fraction(row[0]),
        shift,
        Scale.OFFSET if shift else Scale.LINEAR,
        is_delta=entry.unit.startswith("delta_"),
    )


def suggestion(name: str) -> str:
    """Help for a name that is no unit: the nearest spelling where there is one."""
    import difflib
    import re

    digits = re.fullmatch(r"([^\W\d]+)(\d+)", name)
    if digits and digits[1] in _spelled():
        return f"did you mean `{digits[1]}^{digits[2]}`?"
    folded: dict[str, str] = {}
    for spelling in _spelled():
        folded.setdefault(spelling.casefold(), spelling)
    near = difflib.get_close_matches(name[:40].casefold(), folded, n=1, cutoff=0.7)
    if near:
        return f"did you mean `{folded[near[0]]}`?"
    return "use an SI unit or one in common use, such as `m`, `km`, `ms`, `mW`, `degC`, `dB`"
