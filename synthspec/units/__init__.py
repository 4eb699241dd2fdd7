"""Dimensions, units and quantities; the only door to pint, which is loaded only for a unit outside the shipped table.

Raises one error for what a user wrote wrong: `UnitError`, with a code, help, and a range inside the text.
"""

from synthspec.units.dimension import DIMENSIONLESS, Dimension, parse_dimension
from synthspec.units.errors import UnitError
from synthspec.units.grammar import parse_unit
from synthspec.units.lookup import known_spellings
from synthspec.units.quantity import Quantity, parse_quantity, spell_number
from synthspec.units.unit import INFORMATION, LEVEL, NUMBER, Affine, QuantityKind, Scale, Unit, coherent_unit

__all__ = [
    "DIMENSIONLESS",
    "INFORMATION",
    "LEVEL",
    "NUMBER",
    "Affine",
    "Dimension",
    "Quantity",
    "QuantityKind",
    "Scale",
    "Unit",
    "UnitError",
    "coherent_unit",
    "known_spellings",
    "parse_dimension",
    "parse_quantity",
    "parse_unit",
    "spell_number",
]
