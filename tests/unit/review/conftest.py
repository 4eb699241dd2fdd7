"""Two sides of a change in memory: the normative examples, and the same with some texts replaced."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from synthspec.review.documents import Shelf
from synthspec.review.policies import Loading
from synthspec.review.sides import Asked, _answer

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 6, 1)


@dataclass(frozen=True)
class Memory:
    files: dict
    label: str = ""

    def paths(self):
        return tuple(self.files)

    def read(self, path):
        return self.files.get(path)


def _files():
    names = list((ROOT / "examples").rglob("*.yaml"))
    return {path.relative_to(ROOT / "examples").as_posix(): path.read_bytes() for path in names}


FILES = _files()


@pytest.fixture(scope="session")
def sides():
    """`sides(example, file, old, new)`: the spec of an example before and after one text is replaced."""

    def make(example, file=None, old="", new=""):
        path = f"{example}/spec.yaml"
        changed = dict(FILES)
        if file is not None:
            assert old.encode() in FILES[f"{example}/{file}"]
            changed[f"{example}/{file}"] = FILES[f"{example}/{file}"].replace(old.encode(), new.encode(), 1)
        return Shelf(Memory(FILES)).load(path), Shelf(Memory(changed)).load(path)

    return make


@pytest.fixture(scope="session")
def answer():
    """`answer(old, new)`: their review, with no policy."""
    return lambda old, new: _answer([(old, new)], Loading(), Asked(today=TODAY), every=True)
