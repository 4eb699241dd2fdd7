"""Which unit names are allowed, and how they are spelled: the hand-written half of the shipped table.

Only what stands here is a unit, so `MM` is not megamolar, `b` not barn and `e` not the elementary charge. The numbers
of these units are generated from pint into `table.py`; `OWN` holds the few that pint does not have.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

PREFIXES: dict[str, tuple[str, str]] = {
    "E": ("exa", "1e18"),
    "P": ("peta", "1e15"),
    "T": ("tera", "1e12"),
    "G": ("giga", "1e9"),
    "M": ("mega", "1e6"),
    "k": ("kilo", "1e3"),
    "h": ("hecto", "1e2"),
    "da": ("deca", "1e1"),
    "d": ("deci", "1e-1"),
    "c": ("centi", "1e-2"),
    "m": ("milli", "1e-3"),
    "u": ("micro", "1e-6"),
    "n": ("nano", "1e-9"),
    "p": ("pico", "1e-12"),
    "f": ("femto", "1e-15"),
    "a": ("atto", "1e-18"),
    "Ki": ("kibi", "1024"),
    "Mi": ("mebi", "1048576"),
    "Gi": ("gibi", "1073741824"),
    "Ti": ("tebi", "1099511627776"),
}
"""By symbol: the name and the factor."""

MICRO = "µμ"
"""U+00B5 and U+03BC, both read as the prefix `u`."""

_SUB = "m u n p f a"
_SUPER = "k M G T P E"
_COMMON = f"{_SUPER} {_SUB}"
_DATA = "k M G T P Ki Mi Gi Ti"


class Entry(NamedTuple):
    """One allowed unit: its name in pint, its symbols and names (canonical spelling first), the prefixes it takes.

    A symbol takes prefix symbols (`km`), a name takes prefix names and a plural s (`kilometers`).
    """

    unit: str
    symbols: str
    names: str
    prefixes: str = ""

    @property
    def canonical(self) -> str:
        return (self.symbols or self.names).split()[0]


ENTRIES: tuple[Entry, ...] = (
    # time and frequency
    Entry("second", "s sec", "second", _SUB),
    Entry("minute", "min", "minute"),
    Entry("hour", "h hr", "hour"),
    Entry("day", "d", "day"),
    Entry("week", "", "week"),
    Entry("year", "yr", "year", "k M G"),
    Entry("hertz", "Hz", "hertz", _COMMON),
    Entry("revolutions_per_minute", "rpm", ""),
    # length, area, volume
    Entry("meter", "m", "meter metre", f"{_COMMON} h da d c"),
    Entry("angstrom", "angstrom Å", ""),
    Entry("micrometer", "", "micron"),
    Entry("inch", "in", "inch inches"),
    Entry("foot", "ft", "foot feet"),
    Entry("yard", "yd", "yard"),
    Entry("mile", "mi", "mile"),
    Entry("nautical_mile", "nmi", "nautical_mile"),
    Entry("astronomical_unit", "au", "astronomical_unit"),
    Entry("light_year", "ly", "light_year"),
    Entry("parsec", "pc", "parsec", "k M G"),
    Entry("hectare", "ha", "hectare"),
    Entry("acre", "", "acre"),
    Entry("liter", "L l", "liter litre", "k h d c m u n p f"),
    Entry("gallon", "gal", "gallon"),
    # angle
    Entry("radian", "rad", "radian", _SUB),
    Entry("degree", "deg °", "degree"),
    Entry("arcminute", "arcmin", "arcminute"),
    Entry("arcsecond", "arcsec", "arcsecond", "m u"),
    Entry("turn", "turn", "revolution"),
    Entry("steradian", "sr", "steradian", _SUB),
    # mass
    Entry("gram", "g", "gram gramme", f"k M G T {_SUB}"),
    Entry("metric_ton", "t", "tonne metric_ton", "M G"),
    Entry("pound", "lb", "pound"),
    Entry("ounce", "oz", "ounce"),
    Entry("dalton", "Da", "dalton", "k M"),
    Entry("unified_atomic_mass_unit", "u amu", ""),
    Entry("carat", "", "carat"),
    # temperature
    Entry("kelvin", "K", "kelvin", "k M m u n"),
    Entry("degree_Celsius", "degC °C", "celsius"),
    Entry("degree_Fahrenheit", "degF °F", "fahrenheit"),
    Entry("delta_degree_Celsius", "delta_degC Δ°C", "delta_celsius"),
    Entry("delta_degree_Fahrenheit", "delta_degF Δ°F", "delta_fahrenheit"),
    # mechanics
    Entry("newton", "N", "newton", _COMMON),
    Entry("dyne", "dyn", "dyne"),
    Entry("force_kilogram", "kgf", ""),
    Entry("force_pound", "lbf", ""),
    Entry("pascal", "Pa", "pascal", f"{_COMMON} h"),
    Entry("bar", "bar", "", "k m u"),
    Entry("standard_atmosphere", "atm", "atmosphere"),
    Entry("torr", "torr", "", "m u"),
    Entry("millimeter_Hg", "mmHg", ""),
    Entry("centimeter_H2O", "cmH2O", ""),
    Entry("inch_Hg", "inHg", ""),
    Entry("pound_force_per_square_inch", "psi", ""),
    Entry("mile_per_hour", "mph", ""),
    Entry("kilometer_per_hour", "kph", ""),
    Entry("knot", "kn", "knot"),
    Entry("standard_gravity", "g_0", "standard_gravity"),
    Entry("poise", "P", "poise", "c m"),
    Entry("stokes", "St", "stokes", "c m"),
    # energy and power
    Entry("joule", "J", "joule", _COMMON),
    Entry("watt", "W", "watt", _COMMON),
    Entry("watt_hour", "Wh", "watt_hour", "k M G T m"),
    Entry("electron_volt", "eV", "electronvolt electron_volt", f"{_SUPER} m u n"),
    Entry("calorie", "cal", "calorie", "k"),
    Entry("british_thermal_unit", "Btu BTU", ""),
    Entry("erg", "erg", ""),
    Entry("horsepower", "hp", "horsepower"),
    # electricity and magnetism
    Entry("ampere", "A", "ampere amp", _COMMON),
    Entry("coulomb", "C", "coulomb", _COMMON),
    Entry("ampere_hour", "Ah", "ampere_hour", "k m"),
    Entry("volt", "V", "volt", _COMMON),
    Entry("ohm", "ohm Ω", "", _COMMON),
    Entry("siemens", "S", "siemens", _COMMON),
    Entry("farad", "F", "farad", _COMMON),
    Entry("henry", "H", "henry", _COMMON),
    Entry("weber", "Wb", "weber", _COMMON),
    Entry("tesla", "T", "tesla", _COMMON),
    Entry("volt_ampere", "VA", "volt_ampere", "k M G m"),
    Entry("var", "var", "", "k M G m"),
    # substance, light, radiation
    Entry("mole", "mol", "mole", f"k {_SUB}"),
    Entry("katal", "kat", "katal", _SUB),
    Entry("enzyme_unit", "U", "enzyme_unit", "k m"),
    Entry("candela", "cd", "candela", "k m"),
    Entry("lumen", "lm", "lumen", "k m"),
    Entry("lux", "lx", "lux", "k m"),
    Entry("becquerel", "Bq", "becquerel", _COMMON),
    Entry("curie", "Ci", "curie", _SUB),
    Entry("gray", "Gy", "gray", f"c {_COMMON}"),
    Entry("sievert", "Sv", "sievert", _COMMON),
    # pure numbers
    Entry("dimensionless", "dimensionless", ""),
    Entry("percent", "%", "percent"),
    Entry("permille", "‰", "permille"),
    Entry("ppm", "ppm", ""),
    Entry("ppb", "ppb", ""),
    Entry("count", "", "count"),
    # logarithmic ratios, levels and information
    Entry("decibel", "dB", "decibel"),
    Entry("bel", "", "bel"),
    Entry("neper", "Np", "neper"),
    Entry("decibelwatt", "dBW", ""),
    Entry("decibelmilliwatt", "dBm", ""),
    Entry("bit", "bit", "shannon", _DATA),
    Entry("byte", "B", "byte", _DATA),
    Entry("nat", "nat", ""),
)

LEVEL: dict[str, tuple[str, str]] = {
    # name: (decibels of a power ratio in one, the level in dB above the reference at 0)
    "decibel": ("1", "0"),
    "bel": ("10", "0"),
    "neper": (repr(20 / log(10)), "0"),
    "decibelwatt": ("1", "0"),
    "decibelmilliwatt": ("1", "-30"),
}
"""Logarithmic ratios of powers, ``10 * log10(P / P0)`` (ISO 80000-3); 1 Np is the amplitude ratio e, 20/ln(10) dB."""

REFERENCED = frozenset({"decibelwatt", "decibelmilliwatt"})
"""Levels of a power above 1 W: a place on the scale, like a temperature in degC. Their difference is in dB."""

INFORMATION: dict[str, str] = {"bit": "1", "byte": "8", "nat": repr(1 / log(2))}
"""Bits in one (IEC 80000-13); pint knows no nat, and its `nat` is a nanotechnical atmosphere."""

OWN: dict[str, tuple[str, str]] = {
    # name: (factor to SI, the unit in the table whose dimension it has)
    "dimensionless": ("1", "radian"),
    "ppb": ("1/1000000000", "ppm"),
    "var": ("1", "watt"),
}

_NAMES = """
    speed_of_light planck_constant elementary_charge avogadro_number boltzmann_constant
    conventional_josephson_constant conventional_von_klitzing_constant conventional_water_density
    conventional_mercury_density zeta dirac_constant avogadro_constant molar_gas_constant faraday_constant
    conductance_quantum magnetic_flux_quantum josephson_constant von_klitzing_constant stefan_boltzmann_constant
    first_radiation_constant second_radiation_constant wien_wavelength_displacement_law_constant
    wien_frequency_displacement_law_constant newtonian_constant_of_gravitation rydberg_constant
    electron_g_factor atomic_mass_constant electron_mass proton_mass neutron_mass lattice_spacing_of_Si
    x_unit_Cu x_unit_Mo angstrom_star water_density_4C water_density_60F mercury_density_0C mercury_density_32F
    mercury_density_60F fine_structure_constant vacuum_permeability vacuum_permittivity impedance_of_free_space
    coulomb_constant classical_electron_radius thomson_cross_section pi tansec ln10 wien_x wien_u eulers_number
    K_alpha_Cu_d_220 K_alpha_Mo_d_220 K_alpha_W_d_220
"""
CONSTANTS = frozenset(_NAMES.split())
"""What pint takes for a unit although it is a constant of nature; never looked up."""
