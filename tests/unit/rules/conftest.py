"""Turns the Bad and Good fragments of a rule's page into files on top of the normative examples."""

import contextlib
import copy
import functools
import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml

from synthspec.pipeline.front import Options, spot, validate

EXAMPLES = Path(__file__).parents[3] / "examples"
SREF_SECTIONS = {"modality", "fields", "keys", "alias_map", "policy", "constraints", "time", "path"}
LOADER, DUMPER = yaml.CSafeLoader, yaml.CSafeDumper
TODAY = date(2026, 6, 1)


def _inner(node, part):
    """The key or index of `part` in a mapping or in a list of named things."""
    if isinstance(node, list):
        named = [index for index, item in enumerate(node) if isinstance(item, dict) and item.get("name") == part]
        return named[0] if named else int(part)
    return part


def put(tree, path, value):
    *way, last = path.split(".")
    for part in way:
        tree = tree.setdefault(part, {}) if isinstance(tree, dict) else tree[_inner(tree, part)]
    tree[_inner(tree, last)] = value


def drop(tree, path):
    *way, last = path.split(".")
    for part in way:
        tree = tree[_inner(tree, part)]
    del tree[_inner(tree, last)]


@functools.cache
def _base(name):
    """The spec and the SRef of a normative example."""
    spec = yaml.load((EXAMPLES / name / "spec.yaml").read_text(), LOADER)
    return spec, yaml.load((EXAMPLES / name / spec["sref"]).read_text(), LOADER)


def changed(example):
    """The spec and the SRef of an example of a page."""
    spec, sref = copy.deepcopy(_base(example.base))
    for path in example.without:
        with contextlib.suppress(KeyError, ValueError):
            drop(sref if path.split(".")[0] in SREF_SECTIONS else spec, path)
    for path, value in (yaml.load(example.text, LOADER) or {}).items():
        put(sref if path.split(".")[0] in SREF_SECTIONS else spec, path, value)
    return spec, sref


class Bench:
    """Writes examples of pages into `folder`, each once, and validates them."""

    def __init__(self, folder):
        self.folder = folder
        self.outcomes = {}
        self.count = 0

    def _home(self, base):
        home = self.folder / base
        if not home.exists():
            home.mkdir()
            for name in ("encoder.safetensors", *(file.name for file in (EXAMPLES / base).glob("*.csv"))):
                (home / name).touch()
        return home

    def written(self, base, spec, sref):
        """The file of `spec`, with `sref` beside it, among the files that the example `base` names."""
        home, self.count = self._home(base), self.count + 1
        (home / f"{self.count}.sref.yaml").write_text(yaml.dump(sref, Dumper=DUMPER, sort_keys=False))
        named = {**spec, "sref": f"{self.count}.sref.yaml"}
        (home / f"{self.count}.yaml").write_text(yaml.dump(named, Dumper=DUMPER, sort_keys=False))
        return home / f"{self.count}.yaml"

    def write(self, example):
        return self.written(example.base, *changed(example))

    def findings(self, example):
        if example not in self.outcomes:
            outcome = validate(spot(self.write(example)), Options(today=TODAY))
            self.outcomes[example] = outcome.diagnostics
        return self.outcomes[example]

    def codes(self, example):
        return {finding.code for finding in self.findings(example)}


@pytest.fixture(scope="session")
def trees():
    """Call it with the example of a page: its spec and its SRef, and those that it is a change of."""
    return lambda example: (changed(example), copy.deepcopy(_base(example.base)))


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    (folder / "synthspec.toml").touch()
    return Bench(folder)


@pytest.fixture(scope="session")
def examples_copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("edited") / "examples"
    shutil.copytree(EXAMPLES, folder)
    return folder


@pytest.fixture
def copy_of(examples_copy):
    """Call it with the name of an example: its spec and its SRef in a copy where they may be changed."""
    for path in EXAMPLES.rglob("*.yaml"):
        target = examples_copy / path.relative_to(EXAMPLES)
        if target.read_bytes() != path.read_bytes():
            shutil.copyfile(path, target)

    def copy(example):
        spec = examples_copy / example / "spec.yaml"
        return spec, (spec.parent / yaml.load(spec.read_text(), LOADER)["sref"]).resolve()

    return copy


@pytest.fixture
def edited(copy_of):
    """Call it with an example and a change: the spec to validate, and the file that was changed."""

    def edit(example, old, new, *, sref=False):
        spec, schema = copy_of(example)
        target = schema if sref else spec
        text = target.read_text()
        assert text.count(old) == 1, old
        target.write_text(text.replace(old, new))
        return spec, target

    return edit
