"""`replay` of a small run where what is written comes out a little, or quite, otherwise."""

import re

import pytest

from synthspec.execute.core import export


def doctored(monkeypatch, change):
    """Let this process write tables that were changed line by line; what is measured stays the same."""
    honest = export.to_csv

    def to_csv(schema, dataset):
        head, *rows = honest(schema, dataset).splitlines()
        return "\n".join([head, *change(rows), ""])

    monkeypatch.setattr(export, "to_csv", to_csv)


def nudged(rows):
    cells = [row.split(",") for row in rows]
    return [",".join([rid, str(float(x) + 1e-6), *rest]) for rid, x, *rest in cells]


@pytest.mark.parametrize(
    ("change", "grade", "accepted"),
    [
        (nudged, "numeric", {"numeric": 0, "bitwise": 1}),
        (lambda rows: rows[::-1], "statistical", {"statistical": 0, "numeric": 1}),
    ],
    ids=["numeric", "statistical"],
)
def test_a_replay_is_graded_and_accepted_as_asked(cli, marks, tmp_path, monkeypatch, change, grade, accepted):
    doctored(monkeypatch, change)
    for level, code in accepted.items():
        words = ("--base", marks.folder.parent, "--accept", level)
        answer = cli("replay", marks.folder, *words, cwd=tmp_path)
        assert answer.code == code, answer.out + answer.err
        assert answer.out.splitlines()[-1].startswith(f"replay: {grade}")
        assert re.search(r"^DIFFERS  samples\.csv  [0-9a-f]{16}  ", answer.out, re.MULTILINE)
        assert ("within   W1" in answer.out) == (grade == "statistical")


def test_the_json_answer_has_the_gap_and_the_figures(cli, marks, tmp_path, monkeypatch):
    doctored(monkeypatch, nudged)
    words = ("--base", marks.folder.parent, "--format", "json", "--tolerance", "1e-9")
    answer = cli("replay", marks.folder, *words, cwd=tmp_path)
    assert answer.code == 1
    said = answer.json
    assert (said["grade"], said["tolerance"], said["contracts_changed"]) == ("statistical", 1e-9, [])
    gap = next(each["gap"] for each in said["results"] if each["name"] == "samples.csv")
    assert gap["absolute"] == pytest.approx(1e-6, rel=1e-3)
    assert (gap["where"], gap["reason"]) == ("x", "")
    assert {each["name"] for each in said["figures"]} >= {"W1", "covg", "MI"}
    assert all(each["within"] for each in said["figures"])


def test_equal_bytes_with_another_thread_count_are_told_and_not_called_bitwise(cli, marks, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    words = ("replay", marks.folder, "--base", marks.folder.parent, "--quiet")
    answer = cli(*words, cwd=tmp_path)
    told = answer.out.splitlines()
    (fact,) = (line for line in told if line.startswith("environment "))
    assert re.fullmatch(r"environment /variables/OMP_NUM_THREADS: \S+ then, 7 now", fact)
    assert all(line.startswith("same ") for line in told[:-2]), "what still holds is told file by file"
    assert told[-1].startswith(
        "replay: numeric (every byte is equal; not bitwise, as 1 fact of the environment differs"
    )
    assert answer.code == 1
    accepted = cli(*words, "--accept", "numeric", "--format", "json", cwd=tmp_path)
    assert (accepted.code, accepted.json["grade"], accepted.json["bytes_equal"]) == (0, "numeric", True)
