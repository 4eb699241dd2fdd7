"""Paths in a spec stay inside their root and mean one thing (security study, rows P01-P09)."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.resolve.paths import BadPath, Wanted, locate
from synthspec.resolve.roots import find_root
from synthspec.resolve.sources import find_source


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.csv").write_text("x\n")
    root = tmp_path / "root"
    (root / "specs").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "data" / "a.csv").write_text("x\n")
    (root / "specs" / "near.csv").write_text("x\n")
    (root / "synthspec.toml").write_text("")
    return root


@pytest.mark.parametrize("text", ["near.csv", "../data/a.csv", "../data", "./near.csv"])
def test_what_lies_inside_is_found(tree: Path, text: str) -> None:
    assert locate(text, tree / "specs", tree) == (tree / "specs" / text).resolve()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("../../outside/secret.csv", "schema.path-escape"),
        ("../../../../etc/passwd", "schema.path-escape"),
        ("/etc/passwd", "schema.path-escape"),
        ("file:///etc/passwd", "schema.path-escape"),
        ("http://169.254.169.254/latest", "schema.path-escape"),
        ("s3://bucket/x", "schema.path-escape"),
        ("C:\\x", "schema.path-escape"),
        ("~root/x", "schema.path-escape"),
        ("\\\\host\\share", "schema.path-escape"),
        ("data\\a.csv", "schema.path-escape"),
        ("%2e%2e/x", "schema.path-escape"),
        ("$HOME/x", "schema.path-escape"),
        ("{{ env.X }}", "schema.path-escape"),
        ("near.csv\0", "schema.path-escape"),
        ("near.csv ", "schema.path-escape"),
        ("\u202enear.csv", "schema.path-escape"),
        ("x" * 600, "schema.path-escape"),
        ("-rf", "schema.path-escape"),
        ("", "schema.path-escape"),
        ("missing.csv", "schema.not-found"),
        ("NEAR.csv", "schema.not-found"),
        ("near.csv/x", "schema.not-found"),
    ],
)
def test_what_leaves_or_is_not_there_is_refused(tree: Path, text: str, code: str) -> None:
    with pytest.raises(BadPath) as caught:
        locate(text, tree / "specs", tree)
    assert caught.value.code == code
    assert caught.value.help


def test_a_missing_file_names_its_neighbour(tree: Path) -> None:
    with pytest.raises(BadPath) as caught:
        locate("neer.csv", tree / "specs", tree)
    assert caught.value.help == "did you mean 'near.csv'?"


@pytest.mark.parametrize(
    ("beside", "advice"),
    [
        (["marks.sref.yaml", "marks.yaml", "marks.csv"], "did you mean 'marks.csv'?"),
        (["mark.sref.yaml", "mark.csv.txt"], "there is no data file in that folder (it would end in .csv or .npz)"),
        (["mark.sref.yaml", "pictures/"], "known: pictures"),
        ([".mark/", "other.NPZ"], "known: other.NPZ"),
        ([], "there is no data file in that folder (it would end in .csv or .npz)"),
    ],
)
def test_advice_names_only_what_could_be_meant(tmp_path: Path, beside: list[str], advice: str) -> None:
    for name in beside:
        if name.endswith("/"):
            (tmp_path / name).mkdir()
        else:
            (tmp_path / name).touch()
    wanted = Wanted("data file", endings=(".csv", ".npz"), folders=True)
    with pytest.raises(BadPath) as caught:
        locate("mark.csv", tmp_path, tmp_path, wanted=wanted)
    assert caught.value.help == advice


def test_a_folder_is_no_advice_where_a_file_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "mark.yaml").mkdir()
    with pytest.raises(BadPath) as caught:
        locate("marks.yaml", tmp_path, tmp_path, wanted=Wanted("SRef", endings=(".yaml",)))
    assert caught.value.help == "there is no SRef in that folder (it would end in .yaml)"


def test_links_are_followed_before_they_are_judged(tree: Path) -> None:
    (tree / "specs" / "out.csv").symlink_to("../../outside/secret.csv")
    (tree / "specs" / "in.csv").symlink_to("near.csv")
    (tree / "folder").symlink_to("../outside")
    for text in ("out.csv", "../folder/secret.csv"):
        with pytest.raises(BadPath) as caught:
            locate(text, tree / "specs", tree)
        assert caught.value.code == "schema.path-escape"
    assert locate("in.csv", tree / "specs", tree).name == "near.csv"


def test_a_loop_of_links_is_a_finding(tree: Path) -> None:
    (tree / "specs" / "loop").symlink_to("loop")
    with pytest.raises(BadPath):
        locate("loop", tree / "specs", tree)


def test_pipes_and_devices_are_refused_without_being_opened(tree: Path) -> None:
    os.mkfifo(tree / "specs" / "pipe")
    with pytest.raises(BadPath) as caught:
        locate("pipe", tree / "specs", tree)
    assert "neither a file nor a folder" in caught.value.message


def test_the_limit_can_be_lifted_by_hand(tree: Path) -> None:
    assert locate("../../outside/secret.csv", tree / "specs", tree, allow_outside=True).name == "secret.csv"
    with pytest.raises(BadPath):
        locate("http://example.org/x", tree / "specs", tree, allow_outside=True)


@given(st.text(max_size=60))
def test_no_text_reaches_outside(text: str) -> None:
    root = Path(__file__).parent
    try:
        found = locate(text, root, root)
    except BadPath:
        return
    assert found.is_relative_to(root.resolve())


def test_the_root_is_the_marker_then_the_repository_then_the_folder(tree: Path) -> None:
    spec = tree / "specs" / "spec.yaml"
    assert find_root(spec) == tree.resolve()
    (tree / "synthspec.toml").unlink()
    (tree / "specs" / ".git").mkdir()
    assert find_root(spec) == (tree / "specs").resolve()


def test_sources_that_scikit_learn_carries_need_no_file(tree: Path) -> None:
    assert find_source("sklearn://digits", tree, tree, allow_outside=False) is None
    with pytest.raises(BadPath) as caught:
        find_source("sklearn://digit", tree, tree, allow_outside=False)
    assert caught.value.help == "did you mean 'digits'?"
    with pytest.raises(BadPath) as caught:
        find_source("digits", tree, tree, allow_outside=False)
    assert caught.value.help == "did you mean 'sklearn://digits'?"
