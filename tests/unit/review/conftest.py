"""Two sides of a change: in memory, the normative examples with some texts replaced; or a repository and the command line."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from unittest import mock

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
def two_sides():
    """`two_sides(path, old, new)`: the document at `path` in either of two mappings of paths to texts."""

    def make(path, *sides):
        return tuple(Shelf(Memory({name: text.encode() for name, text in side.items()})).load(path) for side in sides)

    return make


@pytest.fixture(scope="session")
def answer():
    """`answer(old, new)`: their review, with no policy."""
    return lambda old, new: _answer([(old, new)], Loading(), Asked(today=TODAY), every=True)


POLICY = """\
apiVersion: synthspec/v1
kind: Policy
metadata: {name: ours, version: 1.0.0}
rules:
  - {id: no-waivers, expr: size(new.waivers) == 0, message: there are no exceptions}
  - {id: fid, expr: 'new.contracts["C40-511"].tol_FID <= 70.0', message: FID is at most 70}
allow:
  - {id: fid, expr: change.pointer == "/contracts/C40-511/tol_FID"}
"""


class Repository:
    def __init__(self, folder):
        self.folder = folder
        self.git("init", "-q", "-b", "main")

    def git(self, *words):
        identity = ["-c", "user.email=a@example.org", "-c", "user.name=a", "-c", "commit.gpgsign=false"]
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        subprocess.run(["git", *identity, *words], cwd=self.folder, check=True, capture_output=True, env=env)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")

    def edit(self, name, old, new):
        file = self.folder / name
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def review(self, *words):
        from synthspec.cli.main import run

        out, err, code = io.StringIO(), io.StringIO(), 0
        with (
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "argv", ["synthspec", "review", *words]),
        ):
            try:
                run()
            except SystemExit as leaving:
                code = leaving.code or 0
        return code, out.getvalue(), err.getvalue()

    def answer(self, *words):
        code, out, _ = self.review("--format", "json", *words)
        return code, json.loads(out)


@pytest.fixture
def repository(tmp_path):
    for file in (ROOT / "examples" / "digits-diffusion").glob("*.yaml"):
        shutil.copyfile(file, tmp_path / file.name)
    made = Repository(tmp_path)
    made.commit()
    made.git("checkout", "-q", "-b", "feature")
    return made


@pytest.fixture
def governed(repository):
    """With a policy on main."""
    pytest.importorskip("cel_expr_python")
    repository.git("checkout", "-q", "main")
    (repository.folder / "policies").mkdir()
    (repository.folder / "policies" / "ours.yaml").write_text(POLICY, encoding="utf-8")
    repository.commit()
    repository.git("checkout", "-q", "-B", "feature")
    return repository
