"""--fix: safe things are mended, guesses only when asked for, and nothing is made worse."""

from datetime import date
from pathlib import Path

import pytest

from synthspec.pipeline.front import Options, Spot, validate
from synthspec.rewrite import fixed
from synthspec.rewrite.edits import Edited
from synthspec.rewrite.fixes import _worse

ROOT = Path(__file__).parents[3] / "examples" / "digits-diffusion"
SPEC = (ROOT / "spec.yaml").read_text(encoding="utf-8")
OPTIONS = Options(today=date(2026, 6, 1), ignore_errors=True)
HEAD = "apiVersion: synthspec/v1\nkind: SRef\nmetadata: {name: x, version: 1.0.0}\nmodality: tabular\nfields:\n"
KEY = "  - {name: rid, role: key, dtype: int64}\n"
TAIL = "keys: {pk: [rid]}\n"


def place(text, name="spec.yaml"):
    return Spot(ROOT / name, name, text if isinstance(text, bytes) else text.encode())


def mend(text, *, unsafe=False, wanted=lambda _: True):
    made = fixed(place(text), OPTIONS, wanted, unsafe=unsafe)
    result = made.data.decode()
    assert (made.edits == 0) == (result == text)
    return result


def codes(text):
    return [found.code for found in validate(place(text), OPTIONS).diagnostics]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{name: a, role: content, dtype: float32, unit: 1, range: [0, 1]}  # c", "unit: dimensionless"),
        ('{name: a, role: content, dtype: float32, unit: "1", range: [0, 1]}', 'unit: "dimensionless"'),
        ("{name: a, role: content, dtype: float32, unit: 1 millimeters, range: [0, 1]}", "unit: mm"),
        ("{name: a, role: content, dtype: float32, unit: 's', dim: '[Qe] A^-1', range: [0, 1]}", None),
        ("{name: a, role: content, dtype: float32, unit: A s, dim: '[Qe]', range: [0, 1]}", "dim: '[T] [I]'"),
        ("{name: a, role: content, dtype: float32, range: [0, 1]}", "dtype: float32, unit: dimensionless, range"),
        ("{name: a, role: content, dtype: float32, shape: [2], range: [0, 1]}", "[2], unit: dimensionless, range"),
        ("{name: a, role: condition, dtype: float32, range: [0, 1]}", None),
        ("{name: a, role: content, dtype: float32, dim: '[L]', range: [0, 1]}", None),
        ("{name: a, role: content, dtype: float32, unit: percent, range: [0, 1]}", None),
        ("{name: a, role: content, dtype: float32, dim: '[1]', range: [0, 1]}", "unit: dimensionless, dim"),
        ("{name: a, role: content, dtype: float32, unit: parsnip, range: [0, 1]}", None),
    ],
)
def test_units_of_a_field(old, new):
    text = f"{HEAD}{KEY}  - {old}\n{TAIL}"
    after = mend(text)
    if new is None:
        assert after == text
        return
    assert new in after
    assert codes(after) == []
    assert mend(after) == after


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_missing_unit_in_a_block_gets_a_line_of_its_own(end):
    entry = "  - name: a\n    role: content\n    dtype: float32  # why\n    range: [0, 1]\n"
    after = mend((HEAD + KEY + entry + TAIL).replace("\n", end))
    line = "dtype: float32  # why\n    unit: dimensionless\n    range".replace("\n", end)
    assert line in after
    assert codes(after) == []
    assert after.count("\r") == (0 if end == "\n" else after.count("\n"))


def test_a_missing_unit_where_the_dtype_stands_last_or_behind_the_dash():
    entry = (
        "  - dtype: float32\n    role: content\n    range: [0, 1]\n    name: a\n"
        "  - role: content\n    name: b\n    range: [0, 1]\n    dtype: float32"
    )
    after = mend(HEAD + KEY + entry)
    assert after.endswith("    dtype: float32\n    unit: dimensionless")
    assert "  - dtype: float32\n    unit: dimensionless\n    role" in after


def test_only_findings_that_are_wanted_are_mended():
    text = f"{HEAD}{KEY}  - {{name: a, role: content, dtype: float32, range: [0, 1]}}\n{TAIL}"
    assert mend(text, wanted=lambda found: found.code.startswith("P405")) == text


def test_quantities_are_respelled_in_a_spec():
    text = SPEC.replace("2000 ms", "2000.0 milliseconds")
    assert mend(text) == SPEC


MISSPELT = SPEC.replace("training:", "trainng:", 1).replace("  seed: 2026", "  sead: 2026").replace("w_cfg", "w_cgf")


def test_keys_are_guessed_only_when_asked_for():
    assert mend(MISSPELT) == MISSPELT
    assert mend(MISSPELT, unsafe=True) == SPEC


def test_a_quoted_key_is_guessed_too_and_everything_else_stays():
    text = SPEC.replace("objective: {measure", '"objektive" : {measure').replace("\n", "\r\n")
    assert mend("\ufeff" + text, unsafe=True) == "\ufeff" + SPEC.replace("objective: {m", "objective : {m").replace(
        "\n", "\r\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        SPEC.replace("  epochs: 60", "  epochs: 60\n  epoch: 60"),  # the right one is there already
        SPEC.replace("  epochs: 60", "  epoxs: 60\n  epochz: 60"),  # two for one key
        SPEC.replace("  epochs: 60", "  zzz: 60"),  # like nothing
        SPEC.replace("release:\n", "releas:\n  - a\n  - b\nx:\n"),  # a list is no release
        SPEC.replace("  epochs: 60", "  epochs: [60"),  # cannot be read
    ],
)
def test_what_would_be_no_better_is_left(text):
    assert mend(text, unsafe=True) == text


def test_one_that_cannot_be_mended_does_not_stop_the_others():
    text = SPEC.replace("  epochs: 60", "  epochs: 60\n  epoch: 60")
    assert mend(text.replace("w_cfg", "w_cgf"), unsafe=True) == text
    entry = "  - {{name: {}, role: content, dtype: float32, unit: {}, range: [0, 1]}}\n"
    text = HEAD + KEY + entry.format("a", "percent") + entry.format("b", "1 mm") + TAIL
    assert mend(text) == text.replace("1 mm", "mm")


def test_a_result_that_cannot_be_read_is_worse():
    before = validate(place(MISSPELT), OPTIONS).diagnostics
    assert _worse(before, place(MISSPELT + "]"), OPTIONS, Edited("", ()))
    assert not _worse(before, place(SPEC), OPTIONS, Edited("", ()))


def test_safe_edits_are_made_where_a_guess_would_do_harm():
    text = SPEC.replace("  epochs: 60", "  epoxs: 60\n  epochz: 60")
    twice = f"{HEAD}{KEY}  - {{name: a, rol: content, rolee: content, dtype: float32, unit: 1 mm}}\n"
    assert mend(text, unsafe=True) == text
    assert mend(twice, unsafe=True) == twice.replace("1 mm", "mm")


def test_a_spelling_whose_meaning_would_differ_is_not_written():
    # The rules of the whole spec are asked again: a result with a new finding is dropped.
    entry = "  - {name: a, role: content, dtype: float32, range: [0, 1]}\n"
    text = f"{HEAD}{KEY}{entry}{TAIL}constraints:\n  - {{id: c, expr: a > 1 mm}}\n"
    assert mend(text) == text
