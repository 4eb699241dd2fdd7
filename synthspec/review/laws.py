"""The comparisons that need to know what a value means: ranges with units, expressions, noise, distributions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from synthspec.ir.change import Direction
from synthspec.review.compare import BASIC, BOTH, NEUTRAL, UNKNOWN, Law, Pair, absence, same, step
from synthspec.review.expressions import Widening, same_expression, widening
from synthspec.spec.privacy import Accountant, Multiplicity, PublicNormalizer
from synthspec.units import Unit, UnitError, parse_unit

_BY_STATISTICS = frozenset({"standard", "quantile", "gmm", "mean", "median", "mode"})
_ALL = "*"


def direction(pair: Pair) -> Direction | None:
    """What the change of `pair` does; None where it is no change."""
    return _LAWS[pair.guard.how](pair)


def _interval(pair: Pair) -> Direction | None:
    """Both ends in SI: what is allowed grows with the interval."""
    if pair.old is None or pair.new is None:
        return None if pair.old is pair.new else absence(pair)
    before, after = _ends(pair.old, pair.old_owner), _ends(pair.new, pair.new_owner)
    if before is None or after is None:
        return None if same(pair.old, pair.new) else UNKNOWN
    wider, narrower = (
        after[0] < before[0] or after[1] > before[1],
        after[0] > before[0] or after[1] < before[1],
    )
    if wider and narrower:
        return BOTH
    return step(loosens=wider) if wider or narrower else None


def _ends(value: object, owner: object) -> tuple[float, float] | None:
    low, high = cast("tuple[float, float]", value)
    text = getattr(owner, "unit", None)
    if text is None:
        return low, high
    unit = _read(text)
    if unit is None:
        return None
    # A range of 0 to 60 mm is one of 0 to 0.06 m: the last digits of a conversion say nothing.
    ends = (float(f"{unit.to_si(low):.12g}"), float(f"{unit.to_si(high):.12g}"))
    return min(ends), max(ends)


def _unit(pair: Pair) -> Direction | None:
    if pair.old == pair.new:
        return None
    if pair.old is None or pair.new is None:
        return absence(pair)
    before, after = _read(str(pair.old)), _read(str(pair.new))
    if before is not None and after is not None and before.symbol == after.symbol:
        return None
    return UNKNOWN


def _read(text: str) -> Unit | None:
    try:
        return parse_unit(text)
    except UnitError:
        return None


def _constraint(pair: Pair) -> Direction | None:
    """A constraint that is met more easily holds less."""
    return _expression(pair, wider_loosens=True)


def _trip(pair: Pair) -> Direction | None:
    """A trip that is met more easily acts sooner."""
    return _expression(pair, wider_loosens=False)


def _expression(pair: Pair, *, wider_loosens: bool) -> Direction | None:
    if pair.old is None or pair.new is None:
        return None if pair.old is pair.new else absence(pair)
    found: Widening = widening(str(pair.old), str(pair.new), pair.non_negative)
    match found:
        case "same":
            return None
        case "wider" | "narrower":
            return step(loosens=(found == "wider") == wider_loosens)
        case _:
            return BOTH if found == "both" else UNKNOWN


def _multiplier(pair: Pair) -> Direction | None:
    """Less noise loosens; auto stands for what is solved from the budget."""
    if same(pair.old, pair.new):
        return None
    before, after = pair.multipliers
    if pair.old is None or pair.new is None:
        return absence(pair)
    if before is None or after is None:
        return UNKNOWN
    return NEUTRAL if before == after else step(loosens=after < before)


def _distribution(pair: Pair) -> Direction | None:
    """Values that are drawn now and were not widen the conditions; a law read from the data tells of the data."""
    if same(pair.old, pair.new):
        return None
    before, after = pair.old, pair.new
    if before is None or after is None:
        return absence(pair)
    if "empirical" in (before, after):
        return step(loosens=after == "empirical")
    if not isinstance(before, dict) or not isinstance(after, dict):
        return UNKNOWN
    drawn, draws = _support(before), _support(after)
    if draws == drawn:
        return UNKNOWN
    if draws - drawn and drawn - draws:
        return BOTH
    return step(loosens=bool(draws - drawn))


def _support(law: Mapping[str, float]) -> frozenset[str]:
    return frozenset(value for value, share in law.items() if share > 0)


def _privacy_unit(pair: Pair) -> Direction | None:
    """To protect a record is less than to protect whatever several records belong to."""
    if pair.old == pair.new:
        return None
    if pair.old is None or pair.new is None:
        return absence(pair)
    if "record" in (pair.old, pair.new):
        return step(loosens=pair.new == "record")
    return UNKNOWN


def _end(pair: Pair) -> Direction | None:
    """A day as text: later lasts longer, none lasts for ever."""
    if pair.old == pair.new:
        return None
    if pair.old is None or pair.new is None:
        return absence(pair)
    return step(loosens=str(pair.new) > str(pair.old))


def _sensitivity(pair: Pair) -> Direction | None:
    """Noise grows with the stated sensitivity; one that is derived is right by construction."""
    if same(pair.old, pair.new):
        return None
    if "derived" in (pair.old, pair.new):
        return step(loosens=pair.old == "derived")
    return step(loosens=cast("float", pair.new) < cast("float", pair.old))


def _multiplicity(pair: Pair) -> Direction | None:
    before, after = _draws(pair.old), _draws(pair.new)
    if before == after:
        return None
    if before.clip != after.clip:
        return step(loosens=after.clip == "each")
    return NEUTRAL if after.clip == "after" else step(loosens=after.k > before.k)


def _draws(value: object) -> Multiplicity:
    if isinstance(value, Multiplicity):
        return value
    return Multiplicity(k=value if isinstance(value, int) else 1)


def _constant(pair: Pair) -> Direction | None:
    """Several spellings of one thing: an accountant by its name, a normaliser that is a number, an expression."""
    before, after = _plain(pair.old), _plain(pair.new)
    if same(before, after):
        return None
    if before is None or after is None:
        return absence(pair)
    if isinstance(before, str) and isinstance(after, str) and same_expression(before, after):
        return None
    return UNKNOWN


def _plain(value: object) -> object:
    match value:
        case Accountant(kind=kind, neighbours=None):
            return kind
        case PublicNormalizer(public_constant=constant):
            return constant
        case int() if not isinstance(value, bool):
            return float(value)
        case _:
            return value


def _transform(pair: Pair) -> Direction | None:
    """What is done to values before training: by the declared range, or by statistics of the records themselves."""
    if pair.old == pair.new:
        return None
    before, after = _reads_data(pair.old), _reads_data(pair.new)
    if before == after:
        return UNKNOWN
    gained, lost = bool(after - before) and _ALL not in before, bool(before - after) and _ALL not in after
    return BOTH if gained and lost else step(loosens=gained)


def _reads_data(value: object) -> frozenset[str]:
    """The fields of which statistics are taken; one word stands for every field."""
    if isinstance(value, Mapping):
        return frozenset(name for name, how in value.items() if how in _BY_STATISTICS)
    return frozenset({_ALL}) if value in _BY_STATISTICS else frozenset()


def _schema(pair: Pair) -> Direction | None:
    """Which schema a spec means: those that were found are compared themselves; of any other nobody knows."""
    if pair.old == pair.new:
        return None
    return NEUTRAL if pair.schemas else UNKNOWN


_LAWS: Mapping[str, Law] = {
    **BASIC,
    "interval": _interval,
    "unit": _unit,
    "constraint": _constraint,
    "trip": _trip,
    "multiplier": _multiplier,
    "distribution": _distribution,
    "privacy_unit": _privacy_unit,
    "end": _end,
    "sensitivity": _sensitivity,
    "multiplicity": _multiplicity,
    "constant": _constant,
    "transform": _transform,
    "schema": _schema,
}
