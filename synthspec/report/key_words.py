"""What a key takes, what it is by default, and which way it loosens, each in a few words of Markdown."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from synthspec.parse.blueprint import Blueprint, Schema
from synthspec.parse.describe import number, one_of
from synthspec.spec.base import QuantityOf
from synthspec.spec.guards import UNDECLARED, Guard
from synthspec.units import LEVEL, parse_quantity

_FORMS = {
    r"^[A-Za-z][A-Za-z0-9_.-]{0,127}$": "name",
    r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$": "version such as `1.0.0`",
    r"^[0-9a-f]{64}$": "64 hexadecimal digits",
    r"^\d{4}-\d{2}-\d{2}$": 'quoted date such as `"2027-01-31"`',
}
_PLAIN = {
    "int": "whole number",
    "float": "number",
    "str": "text",
    "bool": "`true` or `false`",
    "any": "anything",
    "model": "section",
    "tagged-union": "section",
}
_LAWS = {
    "interval": "a wider one loosens",
    "constraint": "one that is met more easily loosens",
    "trip": "one that trips less easily loosens",
    "multiplier": "less noise loosens",
    "distribution": "more values loosen, and so does `empirical`",
    "unit": "any change has to be looked at",
    "privacy_unit": "`record` in the place of an entity loosens",
    "end": "a later day loosens",
    "sensitivity": "a number in the place of `derived` loosens, and a smaller number",
    "multiplicity": "`clip: each` loosens",
    "constant": "any change has to be looked at",
    "transform": "one that reads the records in the place of the SRef loosens",
    "schema": "the schemas themselves are compared",
}
_ABSENT = {
    "loose": "leaving it out loosens",
    "tight": "writing it loosens",
    "review": "its coming or going has to be looked at",
}


def takes(blueprint: Blueprint, schema: Schema) -> str:
    """What may be written in the place of `schema`: ``number, greater than 0``."""
    words = [word for branch in blueprint.branches(schema) for word in _branch(blueprint, branch)]
    return one_of(list(dict.fromkeys(words)))


def _branch(blueprint: Blueprint, branch: Schema) -> list[str]:
    match branch["type"]:
        case "literal":
            return [f"`{word}`" for word in branch["expected"] if word is not None]
        case "function-plain":
            return [_quantity(branch["function"]["function"].__self__)]
        case "tuple":
            return [_list(blueprint, branch)]
        case "dict":
            keys = takes(blueprint, branch["keys_schema"])
            return [f"mapping ({'name' if keys == 'name' else 'text'}: {takes(blueprint, branch['values_schema'])})"]
        case "str" if branch.get("pattern"):
            return [_FORMS.get(branch["pattern"], f"text of the form `{branch['pattern']}`")]
        case "str" if branch.get("max_length"):
            return [f"text of at most {branch['max_length']:,} characters"]
        case "int" | "float":
            return [f"{_PLAIN[branch['type']]}{_bounds(branch)}"]
        case "none":
            return []
    return [_PLAIN[branch["type"]]]


def _quantity(kind: QuantityOf) -> str:
    unit = parse_quantity(kind.example).unit
    of = "in dB" if unit.kind == LEVEL else f"of dimension {unit.dimension}"
    return f"quantity {of}, such as `{kind.example}`"


def _list(blueprint: Blueprint, schema: Schema) -> str:
    items = [takes(blueprint, item) for item in schema["items_schema"]]
    if schema.get("variadic_item_index") is None:
        return f"list of {len(items)}: {items[0]}" if len(set(items)) == 1 else f"list of {', '.join(items)}"
    return f"list of {items[0]}{'; not empty' if schema.get('min_length') else ''}"


def _bounds(schema: Schema) -> str:
    """Bounds as an interval reads best: ``0 to 1``, ``greater than 0``."""
    words = {"gt": "greater than {}", "ge": "at least {}", "lt": "less than {}", "le": "at most {}"}
    if "ge" in schema and "le" in schema:
        return f", {_round(schema['ge'])} to {_round(schema['le'])}"
    said = [text.format(_round(schema[name])) for name, text in words.items() if name in schema]
    return f", {' and '.join(said)}" if said else ""


def _round(bound: float) -> str:
    """Large round bounds as powers, which say that nobody will meet them.

    >>> _round(10**12), _round(2**53), _round(1.0)
    ('10^12', '2^53', '1')
    """
    for base in (10, 2):
        exponent = len(str(int(bound))) - 1 if base == 10 else int(bound).bit_length() - 1
        if bound >= 10**6 and base**exponent == bound:
            return f"{base}^{exponent}"
    return number(bound)


def default_of(info: FieldInfo) -> str:
    """The default as one would write it; empty where the key is required, or where nothing stands for it."""
    return "" if info.is_required() or info.default is None else spelled(info.default)


def spelled(value: object) -> str:
    """`value` in one line of YAML, of a section what is not empty in it.

    >>> spelled(True), spelled((0.5, "a")), spelled({})
    ('true', '[0.5, a]', '{}')
    """
    match value:
        case bool():
            return "true" if value else "false"
        case tuple() | list():
            return f"[{', '.join(map(spelled, value))}]"
        case BaseModel():
            return spelled({key: each for key, each in value if each not in (None, (), {})})
        case dict():
            return f"{{{', '.join(f'{key}: {spelled(each)}' for key, each in value.items())}}}"
    return str(value)


def loosening(guard: Guard, *, optional: bool) -> str:
    """What a change of the key does to a promise, with its risk; `optional`: whether it may be left out altogether.

    Empty where the keys below say it, and of a part of something that is free as a whole.
    """
    if guard is UNDECLARED:
        return ""
    if guard.how == "free":
        return f"guards nothing: {guard.why}"
    ranked = any("" in step for step in guard.scale)
    told = optional and not ranked and guard.how not in ("review", "entries")
    text = "; ".join(filter(None, (_direction(guard), _ABSENT.get(guard.absent, "") if told else "")))
    return f"{text} ({guard.risk})" if text else ""


def _direction(guard: Guard) -> str:
    """The direction where both sides are written; empty where the keys below say it."""
    match guard.how:
        case "number":
            return "a larger one loosens" if guard.loosens == "up" else "a smaller one loosens"
        case "set" | "items" | "entries" if guard.loosens:
            return "fewer loosen" if guard.loosens == "fewer" else "more loosen"
        case "scale" | "entries" if guard.scale:
            steps = [" or ".join(f"`{word}`" if word else "nothing" for word in step) for step in guard.scale]
            return f"from tight to loose: {', then '.join(steps)}"
        case "review":
            return f"any change has to be looked at: {guard.why}"
        case "pin":
            return "any change has to be looked at"
        case "items" | "entries":
            return "what comes or goes has to be looked at"
        case "section" | "set" | "scale":
            return ""
    return _LAWS[guard.how]
