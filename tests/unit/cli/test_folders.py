"""Which files of a folder are looked at: ours, those that forgot to say so, and no others."""

import pytest

SPEC, SREF = "spec.yaml", "digits.sref.yaml"


@pytest.fixture
def without(folder):
    """`without(name, start)` leaves out the lines of a file that begin with `start`."""

    def cut(name, *starts):
        file = folder / name
        kept = [line for line in file.read_text().splitlines(keepends=True) if not line.startswith(starts)]
        file.write_text("".join(kept))

    return cut


@pytest.mark.parametrize(
    ("name", "starts"),
    [
        (SPEC, ("#", "apiVersion")),
        (SPEC, ("#", "apiVersion", "kind")),
        (SREF, ("apiVersion",)),
        (SREF, ("apiVersion", "kind")),
    ],
)
def test_a_document_that_forgot_its_version_is_told_and_not_passed_over(program, without, name, starts):
    without(name, *starts)
    answer = program("validate", ".", "--format", "concise")
    assert answer.code == 1
    assert f"{name}:1:1" in answer.out
    assert "the file needs the key 'apiVersion'" in answer.out or "a document says its kind" in answer.out


@pytest.mark.parametrize(
    "text",
    [
        "openapi: 3.0.0\ninfo: {}\n",
        "apiVersion: v1\nkind: Policy\nspec: {engine: x, sref: y}\n",
        "engine: pytorch\ntraining: {}\nevaluation: {}\nsampling: {}\n",
        "modality: image\nfields: [a]\n",
    ],
)
def test_what_other_programs_read_is_none_of_our_business(program, folder, text):
    (folder / "other.yaml").write_text(text)
    answer = program("validate", ".")
    assert answer.code == 0
    assert "2 files checked" in answer.out
