"""Codes of the expression language."""

from __future__ import annotations

from synthspec.rules.documented.form import Documented, documented

CODES: tuple[Documented, ...] = (
    documented(
        "expr.syntax",
        "resolve, check",
        "The expression cannot be read.",
        why=(
            "Constraints and trips decide what is kept and when training stops; a half-read one decides something else."
        ),
        bad="trip: grad_norm >",
        good="trip: grad_norm > 50",
        refs="language 3; P405-7; C40-518",
    ),
    documented(
        "expr.unknown-name",
        "resolve, check",
        "The expression names something that does not exist.",
        why="Only fields of the SRef, or signals of the training, have values.",
        bad="expr: power_outt <= power_in",
        good="expr: power_out <= power_in",
        refs="language 3; P405-7; C40-518",
    ),
    documented(
        "expr.type",
        "resolve, check",
        "An operation does not fit its operands.",
        why="Text is not added to numbers, and a condition is no number.",
        bad="trip: grad_norm",
        good="trip: grad_norm > 50",
        refs="language 3; P405-7; C40-518",
    ),
    documented(
        "expr.too-large",
        "resolve, check",
        "The expression is too long, too deep, or its powers are too large.",
        why="Expressions are total and bounded: none of them can stall a run.",
        bad="expr: x^1000 > 0",
        good="expr: x^2 > 0",
        refs="language 3; P405-7; C40-518",
    ),
)
