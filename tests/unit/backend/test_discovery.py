"""Finding plugins: what is broken is reported, and takes nothing else down."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from synthspec.backend.discovery import discover, installed

PLUGIN = """
class Plugin:
    name, version = {name!r}, "1"
    def supports(self, op): return ()
    def missing(self): return ""
    def environment(self): return {{}}
    def kernels(self): return {{}}
BACKEND = Plugin()
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    made = []

    def make(text, name=None):
        made.append(name or f"plugin_{tmp_path.name}_{len(made)}".replace("-", "_"))
        (tmp_path / f"{made[-1]}.py").write_text(text)
        return f"{made[-1]}:BACKEND"

    yield make
    for name in made:
        sys.modules.pop(name, None)


def entry(name, value, distribution):
    point = EntryPoint(name=name, value=value, group="synthspec.backends")
    return point._for(SimpleNamespace(name=distribution))


def test_our_own_backends_are_installed_in_alphabetical_order():
    names = list(installed())
    assert {"null", "reference"} <= set(names)
    assert names == sorted(names)


def test_a_plugin_that_works_is_found_whatever_is_broken_beside_it(module):
    good = entry("good", module(PLUGIN.format(name="good")), "a")
    raises = entry("raises", module("raise OSError('no such library')"), "b")
    exits = entry("exits", module("raise SystemExit(3)"), "c")
    absent = entry("absent", "no_such_module_at_all:BACKEND", "d")
    unnamed = entry("unnamed", module("OTHER = 1"), "e")
    found = discover([unnamed, absent, exits, raises, good])
    assert list(found.backends) == ["good"]
    assert [each.name for each in found.broken] == ["absent", "exits", "raises", "unnamed"]
    reasons = {each.name: each.reason for each in found.broken}
    assert "OSError: no such library" in reasons["raises"]
    assert "b" in reasons["raises"]
    assert "ModuleNotFoundError" in reasons["absent"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PLUGIN.format(name="p").replace("BACKEND = Plugin()", "BACKEND = Plugin"), "the class Plugin"),
        (PLUGIN.format(name="other"), "'other'"),
        (PLUGIN.format(name="p").replace('"1"', "1"), "`version`"),
        (PLUGIN.format(name="p").replace("def missing", "def absent"), "`missing`"),
        (PLUGIN.format(name="p").replace("def kernels(self): return {}", "kernels = {}"), "`kernels`"),
    ],
)
def test_what_is_no_backend_is_said_to_be_none(module, text, says):
    found = discover([entry("p", module(text), "dist")])
    assert not found.backends
    (broken,) = found.broken
    assert says in broken.reason


def test_two_strangers_with_one_name_are_both_refused(module):
    one = entry("same", module(PLUGIN.format(name="same")), "first")
    two = entry("same", module(PLUGIN.format(name="same")), "second")
    found = discover([two, one])
    assert not found.backends
    (broken,) = found.broken
    assert "first" in broken.reason
    assert "second" in broken.reason


def test_the_same_installation_seen_twice_is_one(module):
    point = entry("same", module(PLUGIN.format(name="same")), "first")
    found = discover([point, entry("same", point.value, "first")])
    assert list(found.backends) == ["same"]
    assert not found.broken


def test_a_stranger_cannot_take_the_name_of_ours(module):
    ours = entry("null", "synthspec.backend.null:BACKEND", "synthspec")
    found = discover([entry("null", module(PLUGIN.format(name="null")), "aaa-first"), ours])
    assert type(found.backends["null"]).__name__ == "NullBackend"
    assert [each.name for each in found.broken] == ["null"]
    assert "aaa-first" in found.broken[0].reason


def test_nothing_is_loaded_before_it_is_asked_for():
    script = (
        "import sys; import synthspec.backend.discovery, synthspec.backend.protocol as p;"
        "before = 'synthspec.backend.null' in sys.modules;"
        "from synthspec.backend import null, reference;"
        "print(before, sorted({'numpy', 'scipy', 'pint', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False []"
