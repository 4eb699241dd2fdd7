"""`synthspec fmt`, and `validate --fix`: what is written, what is only said, and the exit codes."""

import stat

import pytest

MIXED = "objective: {head: v, measure: l_simple}"
RIGHT = "objective: {measure: l_simple, head: v}"


@pytest.fixture
def spec(folder):
    file = folder / "spec.yaml"
    file.write_bytes(file.read_bytes().replace(RIGHT.encode(), MIXED.encode()))
    return file


def test_it_writes_and_then_has_nothing_to_do(program, spec):
    answer = program("fmt", ".")
    assert (answer.code, answer.out, answer.err) == (0, "changed spec.yaml\n", "2 files: 1 changed, 1 unchanged\n")
    assert RIGHT in spec.read_text(encoding="utf-8")
    answer = program("fmt", ".", "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_check_writes_nothing(program, spec):
    before = spec.read_bytes()
    answer = program("fmt", ".", "--check")
    assert (answer.code, answer.out) == (1, "would change spec.yaml\n")
    assert answer.err == "2 files: 1 would be changed, 1 unchanged\n"
    assert spec.read_bytes() == before
    spec.write_bytes(before.replace(MIXED.encode(), RIGHT.encode()))
    assert program("fmt", ".", "--check").code == 0


def test_diff_shows_and_writes_nothing(program, spec):
    before = spec.read_bytes()
    answer = program("fmt", "spec.yaml", "--diff")
    assert answer.code == 1
    assert answer.out.startswith("--- spec.yaml\n+++ spec.yaml\n@@ ")
    assert f"-{MIXED}" in answer.out
    assert f"+{RIGHT}" in answer.out
    assert spec.read_bytes() == before
    assert program("fmt", "digits.sref.yaml", "--diff").code == 0


def test_diff_of_a_file_without_a_last_line_break(program, folder):
    file = folder / "digits.sref.yaml"
    file.write_bytes(file.read_bytes().rstrip())
    answer = program("fmt", "digits.sref.yaml", "--diff")
    assert "\\ No newline at end of file\n" in answer.out


def test_check_and_diff_exclude_one_another(program):
    assert program("fmt", ".", "--check", "--diff").code == 2


def test_stdin_comes_back_on_stdout(program, spec, folder):
    answer = program("fmt", "-", stdin=spec.read_bytes())
    assert answer.code == 0
    assert RIGHT in answer.out
    assert MIXED in spec.read_text(encoding="utf-8")


def test_what_is_not_understood_is_told_and_the_rest_is_formatted(program, spec, folder):
    broken = folder / "digits.sref.yaml"
    broken.write_bytes(broken.read_bytes().replace(b"modality", b"modalitie"))
    before = broken.read_bytes()
    answer = program("fmt", ".")
    assert answer.code == 1
    assert "error[schema.unknown-key]" in answer.err
    assert answer.err.endswith("2 files: 1 changed, 0 unchanged, 1 not understood\n")
    assert broken.read_bytes() == before


def test_no_such_file(program):
    assert program("fmt", "nowhere.yaml").code == 2


def test_access_rights_and_links_stay(program, spec, folder):
    spec.chmod(0o640)
    link = folder / "other.yaml"
    link.symlink_to("spec.yaml")
    assert program("fmt", "other.yaml").code == 0
    assert link.is_symlink()
    assert RIGHT in spec.read_text(encoding="utf-8")
    assert stat.S_IMODE(spec.stat().st_mode) == 0o640


# -- validate --fix --------------------------------------------------------------------------------------------------


def test_fix_mends_and_reports_what_is_left(program, folder):
    file, sref = folder / "spec.yaml", folder / "digits.sref.yaml"
    right = file.read_bytes()
    file.write_bytes(right.replace(b"2000 ms", b"2000.0 milliseconds").replace(b"  epochs", b"  epoks"))
    misspelt = file.read_bytes()
    sref.write_bytes(sref.read_bytes().replace(b"unit: dimensionless", b"unit: 1"))
    answer = program("validate", ".", "--fix", "--format", "concise")
    assert answer.code == 1
    assert answer.err == "mended digits.sref.yaml in 1 place\n"
    assert answer.out.splitlines()[-1] == "2 files checked: 1 error, 0 warnings"
    assert file.read_bytes() == misspelt
    answer = program("validate", ".", "--fix", "--unsafe-fixes")
    assert (answer.code, answer.out) == (0, "2 files checked: 0 errors, 0 warnings\n")
    assert answer.err == "mended spec.yaml in 2 places\n"
    assert file.read_bytes() == right
    assert program("validate", ".", "--fix").err == ""


def test_fix_leaves_what_is_ignored(program, folder):
    file = folder / "spec.yaml"
    file.write_bytes(file.read_bytes().replace(b"  epochs", b"  epoks"))
    before = file.read_bytes()
    assert program("validate", ".", "--fix", "--unsafe-fixes", "--ignore", "schema").code == 0
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [["-", "--fix"], [".", "--fix", "--set", "sampling.n=4"], [".", "--unsafe-fixes"], [".", "--write-baseline"]],
)
def test_options_that_do_not_go_together(program, words):
    assert program("validate", *words).code == 2
