"""The only door to pint. Nothing here runs while every unit in hand is in the shipped table.

`look_up` asks pint's registry about one name outside the table; `regenerate` writes the table from pint. User text
never reaches pint's parsers: they hang on some inputs and give a meaning to others (security rows U01 .. U15).

Run ``python -m synthspec.units.registry`` after a change in `spellings.py`.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from synthspec.units.spellings import CONSTANTS, ENTRIES, INFORMATION, LEVEL, OWN

_ORDER = ("[length]", "[mass]", "[time]", "[current]", "[temperature]", "[substance]", "[luminosity]")
_MISTAKEN = {"lambda", "gamma", "particle"}
"""A microlitre, a nanotesla and a fraction of a mole to pint; something else to everybody who writes them here."""
_WORD = re.compile(r"[a-z][a-z_]{3,39}")


class Row(NamedTuple):
    """``x_SI = factor * x + offset``, and the exponents of the seven base dimensions."""

    factor: str
    offset: str
    exponents: tuple[int, ...]


@cache
def _registry() -> Any:  # noqa: ANN401  (pint's registry class is built at run time)
    from pint import UnitRegistry

    return UnitRegistry(non_int_type=Fraction)


def look_up(word: str) -> Row | None:
    """What pint knows of a whole lower-case name (`furlong`) that is in no table; nothing for anything else.

    Prefixed names, symbols, constants of nature, offset and logarithmic units, and units of something else than the
    seven base dimensions (pixels) are refused: the table has the ones that are meant.
    """
    if not _WORD.fullmatch(word):
        return None
    readings = _registry().parse_unit_name(word, case_sensitive=True)
    if len(readings) != 1:
        return None
    prefix, name, _ = readings[0]
    if prefix or name in CONSTANTS | _MISTAKEN or name.startswith(("planck_", "atomic_unit_", "conventional_")):
        return None
    return _row(name)


def _row(name: str) -> Row | None:
    registry = _registry()
    unit = registry.Unit(name)
    try:
        zero, one = (registry.Quantity(Fraction(x), unit).to_root_units() for x in (0, 1))
    except TypeError:  # a logarithmic unit is no affine map, and pint cannot take the logarithm of a Fraction
        return None
    powers = {str(base): Fraction(power) for base, power in dict(unit.dimensionality).items()}
    if set(powers) - set(_ORDER) or not isinstance(one.magnitude, (int, Fraction)):
        return None
    if any(power.denominator != 1 for power in powers.values()):
        return None
    exponents = tuple(int(powers.get(base, 0)) for base in _ORDER)
    si = Fraction(1, 1000) ** exponents[1]  # pint's root unit of mass is the gram
    return Row(_short((one.magnitude - zero.magnitude) * si), _short(zero.magnitude * si), exponents)


def _short(value: Fraction) -> str:
    """The exact ratio where it is short; else the nearest double (pi and measured constants)."""
    exact = str(Fraction(value))
    return exact if len(exact) <= 40 else repr(float(value))


def generated() -> dict[str, Row]:
    """The row of every allowed unit that pint has, by its name in pint."""
    ours = LEVEL.keys() | INFORMATION.keys() | OWN.keys()
    rows: dict[str, Row] = {}
    for entry in ENTRIES:
        row = None if entry.unit in ours else _row(entry.unit)
        if row is not None:
            rows[entry.unit] = row
        elif entry.unit not in ours:
            raise LookupError(f"pint cannot give the numbers of {entry.unit!r}")
    return rows


def render(rows: dict[str, Row]) -> str:
    """The source text of `table.py`."""
    lines = [
        '"""Numbers of the allowed units, generated from pint by `registry.py`; do not edit.',
        "",
        "Name in pint: (factor, offset, exponents of L M T I Θ N J), with ``x_SI = factor * x + offset``.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "ROWS: dict[str, tuple[str, str, tuple[int, ...]]] = {",
    ]
    lines += [f'    "{name}": ("{row.factor}", "{row.offset}", {row.exponents}),' for name, row in rows.items()]
    return "\n".join([*lines, "}", ""])


def regenerate(path: Path) -> None:
    """Write `table.py` at `path`, whole or not at all."""
    draft = path.with_suffix(".tmp")
    draft.write_text(render(generated()), encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    regenerate(Path(__file__).with_name("table.py"))
