"""The codes that are no rules, one table an origin."""

from __future__ import annotations

from synthspec.rules.documented import (
    believing,
    bugs,
    expressions,
    reviewing,
    running,
    schema,
    syntax,
    units,
    verifying,
    waiving,
)
from synthspec.rules.documented.form import Documented

DOCUMENTED: tuple[Documented, ...] = (
    *syntax.CODES,
    *schema.CODES,
    *units.CODES,
    *expressions.CODES,
    *running.CODES,
    *waiving.CODES,
    *reviewing.CODES,
    *verifying.CODES,
    *believing.CODES,
    *bugs.CODES,
)

__all__ = ["DOCUMENTED", "Documented"]
