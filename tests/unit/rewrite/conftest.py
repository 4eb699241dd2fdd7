"""Writes a document again in another order and layout, with comments that say where they belong."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field

import pytest

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./+^-]*( [A-Za-z0-9_./+^-]+)*")
_RESERVED = {"true", "false", "null", "yes", "no", "on", "off"}


@dataclass
class Scrambler:
    """Every choice comes from `rnd`. `kept` collects mappings that fmt leaves in the order in which they were written."""

    rnd: random.Random
    comments: int = 0
    kept: set[tuple] = field(default_factory=set)

    def document(self, value: dict) -> str:
        head = [f"# head {self.number()}", ""] if self.chance(0.5) else []
        lines = [*head, *self.mapping(value, (), 0)]
        while lines[len(head)].strip() in ("", "#") or lines[len(head)].startswith("#"):
            del lines[len(head)]  # what stands above the first key is the head of the file
        foot = [f"# foot {self.number()}"] if self.chance(0.3) else []
        return "\n".join([*lines, *foot]) + ("\n" if self.chance(0.8) else "")

    def chance(self, share: float) -> bool:
        return self.rnd.random() < share

    def number(self) -> int:
        self.comments += 1
        return self.comments

    def shuffled(self, value: dict) -> list:
        items = list(value.items())
        self.rnd.shuffle(items)
        return items

    def mapping(self, value: dict, path: tuple, indent: int, *, dashed: bool = False) -> list[str]:
        lines: list[str] = []
        for number, (key, item) in enumerate(self.shuffled(value)):
            first_behind_dash = dashed and number == 0
            if not first_behind_dash:
                lines += [""] * self.rnd.choice([0, 0, 0, 1, 2])
                if self.chance(0.2):
                    lines += [f"{' ' * indent}# above {key} {self.number()}"]
                    if dashed:
                        self.kept.add(path)
            lines += self.entry(key, item, (*path, key), indent)
        if self.chance(0.1):
            lines.append(f"{' ' * indent}# last {self.number()}")
        return lines

    def entry(self, key: str, value: object, path: tuple, indent: int) -> list[str]:
        name = " " * indent + self.text(key)
        beside = f"  # beside {key} {self.number()}" if self.chance(0.2) else ""
        if isinstance(value, dict) and value and self.chance(0.6):
            return [f"{name}:{beside}", *self.mapping(value, path, indent + self.rnd.choice([1, 2, 4]))]
        if isinstance(value, tuple) and value and self.chance(0.5):
            return [f"{name}:{beside}", *self.sequence(value, path, indent + self.rnd.choice([0, 2]))]
        lines = [f"{name}: {self.flow(value, indent)}{beside}"]
        if self.chance(0.1):
            lines.append(f"{' ' * (indent + 3)}# under {key} {self.number()}")
        return lines

    def sequence(self, value: tuple, path: tuple, indent: int) -> list[str]:
        lines: list[str] = []
        for number, item in enumerate(value):
            at = (*path, number)
            if self.chance(0.1):
                lines.append(f"{' ' * indent}# item {self.number()}")
            if isinstance(item, dict) and item and self.chance(0.7):
                gap = self.rnd.choice([1, 3])
                if self.chance(0.3):
                    lines += [f"{' ' * indent}-", *self.mapping(item, at, indent + gap)]
                    continue
                block = self.mapping(item, at, indent + 1 + gap, dashed=True)
                lines += [f"{' ' * indent}-{' ' * gap}{block[0].lstrip()}", *block[1:]]
            else:
                lines.append(f"{' ' * indent}- {self.flow(item, indent)}")
        return lines

    def flow(self, value: object, indent: int) -> str:
        gap = self.rnd.choice([" ", " ", " ", "  ", f"\n{' ' * (indent + 5)}"])
        if isinstance(value, dict):
            inner = f",{gap}".join(f"{self.text(key)}: {self.flow(item, indent)}" for key, item in self.shuffled(value))
            return "{" + self.rnd.choice(["", " "]) + inner + "}"
        if isinstance(value, tuple):
            return "[" + f",{gap}".join(self.flow(item, indent) for item in value) + "]"
        return self.text(value) if isinstance(value, str) else json.dumps(value)

    def text(self, value: str) -> str:
        if _PLAIN.fullmatch(value) and value.lower() not in _RESERVED and self.chance(0.8):
            return value
        if "'" not in value and self.chance(0.3):
            return f"'{value}'"
        return json.dumps(value, ensure_ascii=False)


@pytest.fixture(scope="session")
def scrambled():
    """Makes a scrambler of a seed."""
    return lambda seed: Scrambler(random.Random(seed))
