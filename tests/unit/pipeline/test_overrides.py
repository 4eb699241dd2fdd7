"""``--set``: what it changes, what it leaves, and where its own mistakes are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.parse import compose
from synthspec.pipeline.overrides import apply_overrides
from synthspec.text import Source

TEXT = """\
name: marks
sampling: {n: 200, seed: 7}
metrics: [W1, covg]
stages:
  - {epochs: 3}
  - {epochs: 5}
note: plain
"""


def document(text: str = TEXT):
    read = compose(Source("spec.yaml", text))
    assert read.value is not None
    return read.value


def applied(*changes: tuple[str, str]):
    outcome = apply_overrides(document(), changes)
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


def refused(path: str, text: str):
    outcome = apply_overrides(document(), ((path, text),))
    assert outcome.value is None
    (finding,) = outcome.diagnostics
    return finding


CHANGES = {
    "a number": ("sampling.n", "64", lambda v: v["sampling"]["n"], 64),
    "a float as YAML 1.2 has it": ("sampling.n", "1e-6", lambda v: v["sampling"]["n"], 1e-6),
    "text": ("name", "other", lambda v: v["name"], "other"),
    "text in quotes": ("name", '"1"', lambda v: v["name"], "1"),
    "a truth": ("name", "true", lambda v: v["name"], True),
    "nothing": ("name", "null", lambda v: v["name"], None),
    "a list": ("metrics", "[FID, KID]", lambda v: v["metrics"], ("FID", "KID")),
    "a mapping": ("sampling", "{n: 1}", lambda v: v["sampling"], {"n": 1}),
    "one entry of a list": ("metrics.1", "MI", lambda v: v["metrics"], ("W1", "MI")),
    "deep in a list": ("stages.1.epochs", "9", lambda v: v["stages"], ({"epochs": 3}, {"epochs": 9})),
    "a new key": ("sampling.block", "32", lambda v: v["sampling"], {"n": 200, "seed": 7, "block": 32}),
    "a new section": ("release.licence", "MIT", lambda v: v["release"], {"licence": "MIT"}),
    "text with an equals sign": ("note", "a=b", lambda v: v["note"], "a=b"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_value_is_read_as_yaml_and_put_where_the_path_says(case):
    path, text, pick, wanted = CHANGES[case]
    assert pick(applied((path, text)).value) == wanted


def test_nothing_else_changes_and_the_document_itself_stays():
    before = document()
    changed = apply_overrides(before, (("sampling.n", "64"),)).value
    assert changed is not None
    assert before.value["sampling"] == {"n": 200, "seed": 7}
    assert changed.value == {**before.value, "sampling": {"n": 64, "seed": 7}}
    assert list(changed.value) == list(before.value)


def test_changes_are_made_in_their_order():
    assert applied(("sampling.n", "1"), ("sampling.n", "2")).value["sampling"]["n"] == 2
    assert applied(("sampling", "{n: 1}"), ("sampling.seed", "3")).value["sampling"] == {"n": 1, "seed": 3}


def test_no_change_is_the_same_document():
    assert applied() == document()


REFUSED = {
    "an empty path": ("", "1"),
    "a path with a hole": ("sampling..n", "1"),
    "a path that ends early": ("sampling.", "1"),
    "a way through text": ("name.inner", "1"),
    "a way through a number": ("sampling.n.inner", "1"),
    "an entry that is not there": ("metrics.2", "1"),
    "an entry from the end": ("metrics.-1", "1"),
    "an entry by name": ("metrics.first", "1"),
    "two values": ("name", "a\nother: b"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_set_is_one_finding_that_repeats_what_was_typed(case):
    path, text = REFUSED[case]
    finding = refused(path, text)
    assert finding.code == "schema.bad-value"
    assert finding.message.startswith(f"--set {path}={text}: ")
    assert finding.help


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[1", "syntax.yaml"),
        ("no", "syntax.ambiguous-scalar"),
        ("!!python/object x", "syntax.tag"),
        ("*a", "syntax.alias"),
    ],
)
def test_what_yaml_refuses_is_refused_here_too_and_shown_where_it_was_typed(text, code):
    finding = refused("sampling.n", text)
    assert finding.code == code
    assert finding.file == "--set sampling.n"


def test_a_place_points_at_the_command_line_and_its_neighbours_at_the_file():
    places = applied(("sampling", "{n: 64}"), ("metrics.1", "MI")).places
    assert places.value(("sampling", "n")).source.name == "--set sampling"
    assert places.value(("sampling", "n")).text == "64"
    assert places.value(("metrics", 1)).source.name == "--set metrics.1"
    assert places.value(("metrics", 0)).source.name == "spec.yaml"
    assert ("sampling", "seed") not in places


scalars = st.one_of(st.integers(-(2**53), 2**53), st.booleans(), st.text("abcxyz", min_size=1, max_size=8))


@given(st.sampled_from([("sampling", "n"), ("stages", 0, "epochs"), ("metrics", 0), ("name",)]), scalars)
def test_setting_any_leaf_is_read_back_and_setting_it_twice_is_setting_it_once(path, value):
    text = str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)
    change = (".".join(map(str, path)), text)
    once = applied(change).value
    found = once
    for part in path:
        found = found[part]
    assert found == value
    assert type(found) is type(value)
    assert applied(change, change).value == once
