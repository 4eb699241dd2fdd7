"""Codes of quantities, units and dimensions."""

from __future__ import annotations

from synthspec.rules.documented.form import Documented, documented

CODES: tuple[Documented, ...] = (
    documented(
        "unit.unknown",
        "parse, resolve",
        "There is no such unit.",
        why="A unit that cannot be converted cannot be checked.",
        bad="unit: furlongs",
        good="unit: m",
        refs="language 2; P403-3; P405-7; C40-518",
    ),
    documented(
        "unit.bare-number",
        "parse, resolve",
        "A quantity has no unit.",
        why="50 may be milliseconds or seconds; a factor of 1000 in a promise is not left to the reader.",
        bad="SLO_latency: 50",
        good="SLO_latency: 50 ms",
        refs="language 2; P403-3; P405-7; C40-518",
    ),
    documented(
        "unit.on-dimensionless",
        "parse, resolve",
        "A pure number has a unit.",
        why="A count, a share or a ratio has none; one that is given was meant for another field.",
        bad="tol_FID: 60 ms",
        good="tol_FID: 60.0",
        refs="language 2; P403-3; P405-7; C40-518",
    ),
    documented(
        "unit.dim-mismatch",
        "parse, resolve",
        "The unit is of another dimension.",
        why=("Only equal dimensions can be added, subtracted or compared; anything else is an error of the formula."),
        bad="SLO_latency: 50 m",
        good="SLO_latency: 50 ms",
        refs="language 2; P403-3; P405-7; C40-518",
    ),
    documented(
        "P405-7.dimension-mismatch",
        "resolve",
        "An expression over the fields of the SRef does not balance.",
        why=(
            "What is added, compared or declared equal has one dimension: check_dim(expr) is asked of every constraint and"
            " derived field before a record is read, and the message says what each name is."
        ),
        bad="constraints: [{id: passive, expr: power_out <= temp}]",
        good="constraints: [{id: passive, expr: power_out <= power_in}]",
        refs="P405-7; P403-3; C40-518; language 3",
    ),
    documented(
        "unit.unit-dim-disagree",
        "parse, resolve",
        "unit and dim of a field contradict each other.",
        why="Both may be given, and then they must agree: one of the two is a slip.",
        bad='{unit: mm, dim: "[T]"}',
        good='{unit: mm, dim: "[L]"}',
        refs="language 2; P403-3; P405-7; C40-518",
    ),
    documented(
        "unit.offset-product",
        "parse, resolve",
        "A unit with a shifted zero is multiplied.",
        why=("20 degC times 2 is 40 degC or 313 degC, depending on where zero is. Convert to K, or use a difference."),
        bad="expr: 2 * temp_c > 30 degC",
        good="expr: temp_c > 15 degC",
        refs="language 2; P403-3; P405-7; C40-518",
    ),
    documented(
        "unit.nonfinite",
        "parse, resolve",
        "The number is infinite, no number, or does not fit a double.",
        why="A bound at infinity promises nothing, and arithmetic with it gives no number.",
        bad="SLO_latency: 1e999 ms",
        good="SLO_latency: 50 ms",
        refs="language 2; P403-3; P405-7; C40-518",
    ),
    documented(
        "unit.syntax",
        "parse, resolve",
        "The unit, dimension or quantity cannot be read.",
        why="A quantity is <number> <unit>; a unit is a product of powers of names.",
        bad="unit: m//s",
        good="unit: m/s",
        refs="language 2; P403-3; P405-7; C40-518",
    ),
    documented(
        "unit.too-large",
        "parse, resolve",
        "The unit, dimension or quantity is too long, or an exponent too large.",
        why="Texts are bounded so that checking them takes no time worth speaking of.",
        bad="unit: m^1000",
        good="unit: m^2",
        refs="language 2; P403-3; P405-7; C40-518",
    ),
)
