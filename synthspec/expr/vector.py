"""The same operators and functions on numpy arrays. numpy is imported on the first use, never by `validate`."""

from __future__ import annotations

from functools import cache, reduce
from typing import TYPE_CHECKING, Any

from synthspec.expr.scalar import Operation, is_null
from synthspec.expr.types import Boolean, Number, Type

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[Any]


@cache
def table() -> dict[str, Operation]:
    """Operation by operator or function name; each takes and gives arrays, or the scalars of folded constants."""
    import numpy as np

    return {
        "+": np.add,
        "-": np.subtract,
        "*": np.multiply,
        "/": np.divide,
        "^": _power,
        "<": np.less,
        "<=": np.less_equal,
        ">": np.greater,
        ">=": np.greater_equal,
        "==": lambda a, b: np.asarray(a == b, dtype=bool),
        "!=": lambda a, b: np.asarray(a != b, dtype=bool),
        "and": np.logical_and,
        "or": np.logical_or,
        "not": np.logical_not,
        "neg": np.negative,
        "abs": np.abs,
        "min": lambda *values: reduce(_least, values),
        "max": lambda *values: reduce(_most, values),
        "sqrt": np.sqrt,
        "exp": np.exp,
        "log": np.log,
        "log10": np.log10,
        "sin": np.sin,
        "cos": np.cos,
        "tanh": np.tanh,
        "clip": lambda x, low, high: _least(_most(x, low), high),
        "where": np.where,
        "isnull": _is_null,
        "len": _length,
    }


def _power(base: Any, exponent: Any) -> Any:  # noqa: ANN401
    """IEEE 754 `pow`. numpy takes a constant exponent of 0.5 for a square root, which differs at -inf and at -0."""
    import numpy as np

    if np.ndim(exponent) == 0 and exponent == 0.5:
        return np.where(np.isneginf(base), np.inf, np.sqrt(base, dtype=np.float64) + 0.0)
    return np.power(base, exponent, dtype=np.float64)


def _least(a: Any, b: Any) -> Any:  # noqa: ANN401
    """The smaller number, NaN where either is, and -0 below 0 (IEEE 754 `minimum`)."""
    import numpy as np

    return np.where(np.equal(a, b), np.where(np.signbit(a), a, b), np.minimum(a, b))


def _most(a: Any, b: Any) -> Any:  # noqa: ANN401
    """The larger number, as `_least` (IEEE 754 `maximum`)."""
    import numpy as np

    return np.where(np.equal(a, b), np.where(np.signbit(a), b, a), np.maximum(a, b))


def _is_null(values: Array) -> Array:
    import numpy as np

    values = np.asarray(values)
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "O":
        return np.asarray(np.frompyfunc(is_null, 1, 1)(values), dtype=bool)
    return np.zeros(values.shape, dtype=bool)


def _length(values: Array) -> Array:
    import numpy as np

    lengths = [np.nan if is_null(value) else len(value) for value in np.ravel(values)]
    return np.asarray(lengths, dtype=np.float64).reshape(np.shape(values))


def column(values: Any, type_: Type) -> Array:  # noqa: ANN401  (whatever numpy takes for an array)
    """A column as the kernels want it: float64 in coherent units, bool, or objects."""
    import numpy as np

    if isinstance(type_, Boolean):
        return np.asarray(values, dtype=bool)
    if not isinstance(type_, Number):
        return np.asarray(values, dtype=object)
    array = np.asarray(values)
    if array.dtype.kind == "M":
        return _seconds(array)
    array = array.astype(np.float64, copy=False)
    return type_.unit.affine_to(None)(array) if type_.unit else array


def _seconds(instants: npt.NDArray[np.datetime64]) -> Array:
    """Seconds since 1970; NaN for not-a-time."""
    import numpy as np

    return (instants - np.datetime64(0, "s")) / np.timedelta64(1, "s")
