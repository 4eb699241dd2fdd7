"""A name means something else in this language.

Why: c, n and T are a speed, an index and a temperature or a time to different readers; n_eff is a refractive index and never
    a sample size; T_fil is a tension and T_trans a transmission; t does not stand for ts. Names that collide make formulas lie.

Refs: P403-1; P405-7

Bad on fiber-link-flow:
    path.fields:
      - {name: ell, dtype: float64, unit: km}
      - {name: n_eff, dtype: float64, unit: dimensionless, range: [1, 2]}
      - {name: c, dtype: float64, unit: m/s}
      - {name: c_ref, dtype: float64, unit: m/s}

Good:
    path.fields:
      - {name: ell, dtype: float64, unit: km}
      - {name: n_eff, dtype: float64, unit: dimensionless, range: [1, 2]}
      - {name: c_ref, dtype: float64, unit: m/s}
"""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.rules.form import At, Finding, at_sref, sref_rule
from synthspec.spec.sref import SRef
from synthspec.units import Dimension, UnitError, parse_unit

BARE = {"c": "c_ref", "n": "n_eff", "T": "T_arr, T_fil or T_trans"}
"""Names that a field with a physical unit may not have, and what to write."""
PURE = frozenset({"n_eff", "n_eff_weights", "T_trans"})
APART = ({"T_fil", "T_trans"}, {"n_eff", "n_eff_weights"})


@sref_rule(code="sref.name-collision")
def check(sref: SRef) -> Iterator[Finding]:
    for number, field in enumerate(sref.fields):
        yield from _named(field.name, field.unit, at_sref("fields", number, "name"))
        if field.name == "t" and (field.role == "time" or field.dtype == "timestamp"):
            yield Finding(at_sref("fields", number, "name"), "t does not stand for ts", "call the published time ts")
    for number, column in enumerate(() if sref.path is None else sref.path.fields):
        yield from _named(column.name, column.unit, at_sref("path", "fields", number, "name"))
    for source, name in sref.alias_map.items():
        if {source, name} in APART:
            message = f"{source!r} and {name!r} are two different quantities"
            yield Finding(at_sref("alias_map", source), message, "map the column to the field that it is")


def _named(name: str, unit: str | None, place: At) -> Iterator[Finding]:
    dimension = _dimension(unit)
    if dimension is None:
        return
    if name in BARE and not dimension.is_dimensionless:
        yield Finding(place, f"{name!r} with a physical unit could be several things", f"write {BARE[name]}")
    if name in PURE and not dimension.is_dimensionless:
        yield Finding(place, f"{name!r} is dimensionless, and this is {dimension.describe()}", "give it another name")
    if name == "T_fil" and dimension != parse_unit("N").dimension:
        yield Finding(place, f"'T_fil' is a tension, and this is {dimension.describe()}", "give it another name")


def _dimension(unit: str | None) -> Dimension | None:
    try:
        return None if unit is None else parse_unit(unit).dimension
    except UnitError:
        return None
