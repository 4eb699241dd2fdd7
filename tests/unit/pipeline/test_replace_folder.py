"""A run's folder appears whole or not at all, and never in the place of something that is not a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from synthspec.store import StoreError
from synthspec.store.folder import check_replaceable, replace_folder

MARK = "manifest.sigstore.json"


def fill(folder: Path, text: str) -> None:
    (folder / "weights").mkdir(parents=True)
    (folder / "weights" / "engine").write_text(text, encoding="utf-8")
    (folder / MARK).write_text(text, encoding="utf-8")


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def whole(text: str) -> dict[str, str]:
    return {MARK: text, "weights/engine": text}


@pytest.fixture
def target(tmp_path):
    return tmp_path / "runs" / "one"


def test_it_appears_when_the_block_ends_and_not_before(target):
    with replace_folder(target, MARK) as draft:
        fill(draft, "new")
        assert not target.exists()
        assert draft.parent == target.parent
    assert content(target) == whole("new")
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("before", ["nothing", "an empty folder", "an older run"])
def test_what_may_be_replaced_is_replaced_whole(target, before):
    if before != "nothing":
        target.mkdir(parents=True)
    if before == "an older run":
        fill(target, "old")
        (target / "samples.csv").write_text("old", encoding="utf-8")
    with replace_folder(target, MARK) as draft:
        fill(draft, "new")
    assert content(target) == whole("new")
    assert list(target.parent.iterdir()) == [target]


def strangers(target: Path, tmp_path: Path):
    target.parent.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    fill(elsewhere, "theirs")
    return {
        "a folder of somebody else": lambda: (target.mkdir(), (target / "thesis.tex").write_text("x")),
        "a file": lambda: target.write_text("x"),
        "a link to a run": lambda: target.symlink_to(elsewhere),
        "a link to nowhere": lambda: target.symlink_to(tmp_path / "absent"),
    }


@pytest.mark.parametrize("what", ["a folder of somebody else", "a file", "a link to a run", "a link to nowhere"])
def test_what_is_not_a_run_is_left_alone(target, tmp_path, what):
    strangers(target, tmp_path)[what]()
    for ask in (lambda: check_replaceable(target, MARK), lambda: replace_folder(target, MARK).__enter__()):
        with pytest.raises(StoreError, match="was not made by a run"):
            ask()
    assert sorted(path.name for path in target.parent.iterdir()) == [target.name]
    assert content(tmp_path / "elsewhere") == whole("theirs")


@pytest.mark.parametrize("before", [False, True])
def test_a_failure_inside_leaves_everything_as_it_was(target, before):
    if before:
        fill(target, "old")

    def make():
        with replace_folder(target, MARK) as draft:
            fill(draft, "new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make()
    assert (content(target) == whole("old")) if before else not target.exists()
    assert list(target.parent.iterdir()) == ([target] if before else [])


def test_a_rename_that_fails_brings_the_old_one_back(target, monkeypatch):
    fill(target, "old")
    rename = Path.rename

    def refuse(path, to):
        if to == target and not path.name.endswith(".old"):
            raise OSError(5, "Input/output error")
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StoreError, match="cannot write"), replace_folder(target, MARK) as draft:
        fill(draft, "new")
    monkeypatch.undo()
    assert content(target) == whole("old")
    assert list(target.parent.iterdir()) == [target]


KILL = """
import os, signal, sys
from pathlib import Path
from synthspec.store import folder

target, step = Path(sys.argv[1]), int(sys.argv[2])
seen = 0
def counted(original):
    def call(*arguments, **named):
        global seen
        seen += 1
        if seen == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **named)
    return call
Path.rename = counted(Path.rename)
os.fsync = counted(os.fsync)
with folder.replace_folder(target, "manifest.sigstore.json") as draft:
    (draft / "weights").mkdir()
    (draft / "weights" / "engine").write_text("new")
    (draft / "manifest.sigstore.json").write_text("new")
"""


@pytest.mark.parametrize("step", range(1, 8))
def test_killed_at_any_step_there_is_the_old_one_or_the_new_one_or_a_gap_that_the_next_fills(target, step):
    """Between two renames the place is empty for a moment; the old folder then lies beside it, whole."""
    fill(target, "old")
    command = [sys.executable, "-c", KILL, str(target), str(step)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    if target.exists():
        assert content(target) in (whole("old"), whole("new"))
    else:
        kept = [path for path in target.parent.iterdir() if path.name.endswith(".old")]
        assert [content(path) for path in kept] == [whole("old")]
    with replace_folder(target, MARK) as draft:
        fill(draft, "next")
    assert content(target) == whole("next")
