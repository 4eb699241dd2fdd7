"""`release`: what goes out, where it lies, what is never touched again, and the way back."""

import shutil
import stat
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _removable(tmp_path):
    """Releases are read-only; pytest wants to clear up."""
    yield
    for folder in [tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir() and not path.is_symlink())]:
        folder.chmod(0o755)


@pytest.fixture(scope="module")
def newer(cli, marks, tmp_path_factory):
    """The next release of the stream: another plan, the same key."""
    folder = tmp_path_factory.mktemp("newer")
    store = shutil.copytree(marks.store, folder / "store")
    words = ("--set", "sampling.n=160", "--store", store, "--out", folder / "run")
    answer = cli("run", "marks.yaml", *words, cwd=marks.folder.parent)
    assert answer.code == 0, answer.out + answer.err
    return folder / "run"


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put(cli, run, to, *words):
    answer = cli("release", run, "--to", to, "--format", "json", *words, cwd=to.parent)
    assert answer.code == 0, answer.out + answer.err
    return answer.json


def codes(answer) -> list[str]:
    assert answer.out == ""
    assert answer.err.splitlines()[-1] == "release: REFUSED: nothing was changed"
    return [line.split("[")[1].split("]")[0] for line in answer.err.splitlines()[:-1]]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_release_is_the_run_read_only_under_its_content(cli, marks, tmp_path):
    to = tmp_path / "out"
    answer = cli("release", marks.folder, "--to", to, cwd=tmp_path)
    assert answer.code == 0, answer.err
    folder = Path(answer.out.strip())
    sequence, _, digest = folder.name.partition("-")
    assert (folder.parent, sequence, len(digest)) == (to / "marks", str(marks.manifest["release"]["sequence"]), 16)
    assert content(folder) == content(marks.folder)
    assert (to / "marks" / "current").readlink() == Path(folder.name)
    assert names(to / "marks") == sorted([".lock", folder.name, "current"])
    for path in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o555 if path.is_dir() else 0o444), path
    assert cli("verify", to / "marks" / "current", cwd=tmp_path).code == 0


def test_the_same_run_again_changes_nothing(cli, marks, tmp_path):
    first = put(cli, marks.folder, tmp_path / "out")
    inode = Path(first["release"]).stat().st_ino
    again = put(cli, marks.folder, tmp_path / "out")
    assert (first["fresh"], again["fresh"], again["release"]) == (True, False, first["release"])
    assert Path(first["release"]).stat().st_ino == inode
    assert again["previous"] is None


def test_the_pointer_moves_and_goes_back(cli, marks, newer, tmp_path):
    to, stream = tmp_path / "out", tmp_path / "out" / "marks"
    old, new = put(cli, marks.folder, to)["release"], put(cli, newer, to)
    assert (new["previous"], (stream / "current").resolve()) == (old, Path(new["release"]))
    back = cli("release", "rollback", stream, cwd=tmp_path)
    assert (back.code, back.out.strip()) == (0, old)
    assert (stream / "current").resolve() == Path(old)
    assert content(Path(new["release"])) == content(newer), "what was left is kept"
    assert codes(cli("release", "rollback", stream, cwd=tmp_path)) == ["MISSING_FILE"]
    named = cli("release", "rollback", stream, "--to", Path(new["release"]).name, cwd=tmp_path)
    assert named.code == 0
    assert (stream / "current").resolve() == Path(new["release"])


@pytest.mark.parametrize("name", ["9-0123456789abcdef", "../marks", ".lock", "current"])
def test_the_way_back_leads_to_releases_alone(cli, marks, tmp_path, name):
    put(cli, marks.folder, tmp_path / "out")
    answer = cli("release", "rollback", tmp_path / "out" / "marks", "--to", name, cwd=tmp_path)
    assert answer.code == 1
    assert codes(answer) == ["MISSING_FILE"]


def test_a_release_that_was_changed_is_neither_reused_nor_gone_back_to(cli, marks, newer, tmp_path):
    to = tmp_path / "out"
    old = Path(put(cli, marks.folder, to)["release"])
    new = put(cli, newer, to)["release"]
    (old / "samples.csv").chmod(0o644)
    (old / "samples.csv").write_text("x", encoding="utf-8")
    for words in (("rollback", to / "marks"), (marks.folder, "--to", to)):
        answer = cli("release", *words, cwd=tmp_path)
        assert answer.code == 1
        assert codes(answer) == ["SIZE"]
    assert (to / "marks" / "current").resolve() == Path(new)
    assert (old / "samples.csv").read_text(encoding="utf-8") == "x", "nothing is written over"


def test_what_does_not_verify_or_hold_stays_in(cli, run_copy, pictures, tmp_path):
    (run_copy / "samples.csv").write_text("x", encoding="utf-8")
    for run, said in ((run_copy, ["SIZE"]), (pictures.folder, ["GATE_CLOSED"])):
        answer = cli("release", run, "--to", tmp_path / "out", cwd=tmp_path)
        assert answer.code == 1
        assert codes(answer) == said
    assert not (tmp_path / "out").exists()


def test_a_pointer_that_is_none_of_ours_is_left(cli, marks, tmp_path):
    (tmp_path / "out" / "marks").mkdir(parents=True)
    (tmp_path / "out" / "marks" / "current").write_text("mine", encoding="utf-8")
    answer = cli("release", marks.folder, "--to", tmp_path / "out", cwd=tmp_path)
    assert codes(answer) == ["SPECIAL_FILE"]
    assert (tmp_path / "out" / "marks" / "current").read_text(encoding="utf-8") == "mine"
    assert names(tmp_path / "out" / "marks") == [".lock", "current"]


def test_a_copy_that_fails_leaves_no_trace(cli, marks, tmp_path, monkeypatch):
    from synthspec.pipeline import releasing

    def full(*_):
        raise OSError(28, "No space left on device")

    put(cli, marks.folder, tmp_path / "other")
    monkeypatch.setattr(releasing, "_same", full)
    answer = cli("release", marks.folder, "--to", tmp_path / "out", cwd=tmp_path)
    assert (answer.code, codes(answer)) == (2, ["IO"])
    assert names(tmp_path / "out" / "marks") == [".lock"]


def test_words_that_make_no_sense_are_usage(cli, marks, tmp_path):
    for words in (["rollback"], [marks.folder], [marks.folder, "x", "--to", "y"], ["absent", "--to", "y"]):
        assert cli("release", *words, cwd=tmp_path).code == 2
    assert cli("release", "rollback", tmp_path, cwd=tmp_path).code == 2
    assert list(tmp_path.iterdir()) == []
