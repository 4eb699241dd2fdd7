"""Writing a document back as YAML that this package reads to the same value."""

from __future__ import annotations

import json
import re

import yaml

from synthspec.parse.document import Value

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*( [A-Za-z0-9_./^*+-]+)*")
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


class _Dumper(yaml.CSafeDumper):
    """Block style, no aliases, and quotes around every string that could be read as something else."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def _string(dumper: _Dumper, text: str) -> yaml.Node:
    plain = _WORD.fullmatch(text) is not None and text.casefold() not in _RESERVED
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


def _float(dumper: _Dumper, number: float) -> yaml.Node:
    # YAML 1.1, which PyYAML speaks, takes 1e-05 for text and would add a tag: it needs the point.
    digits, exponent, power = json.dumps(number, allow_nan=False).partition("e")
    point = "" if "." in digits else ".0"
    return dumper.represent_scalar("tag:yaml.org,2002:float", f"{digits}{point}{exponent}{power}")


_Dumper.add_representer(str, _string)
_Dumper.add_representer(float, _float)
_Dumper.add_representer(tuple, yaml.CSafeDumper.represent_list)


def emit(value: Value) -> str:
    """`value` as YAML, keys in the order given. Raises ValueError for a number that is not finite."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=False
    )
    return text
