"""One small expression language for constraints, derived fields, monitor trips and contracts (language.md section 3).

Text is parsed with places, checked for dimensions against the declared types of names, and compiled to closures. It is
total and free of side effects: any text gives a tree or diagnostics, any values give a result.
"""

from synthspec.expr.infer import Context, infer
from synthspec.expr.kernel import Kernel, compile_kernel
from synthspec.expr.linear import HalfSpace, half_spaces
from synthspec.expr.parser import parse
from synthspec.expr.printer import to_text
from synthspec.expr.tree import Expr, names
from synthspec.expr.trip import compile_trip
from synthspec.expr.types import BOOLEAN, INSTANT, PLAIN, TEXT, Boolean, Number, Origin, Text, Type

__all__ = [
    "BOOLEAN",
    "INSTANT",
    "PLAIN",
    "TEXT",
    "Boolean",
    "Context",
    "Expr",
    "HalfSpace",
    "Kernel",
    "Number",
    "Origin",
    "Text",
    "Type",
    "compile_kernel",
    "compile_trip",
    "half_spaces",
    "infer",
    "names",
    "parse",
    "to_text",
]
