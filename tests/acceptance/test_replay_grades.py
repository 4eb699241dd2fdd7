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
