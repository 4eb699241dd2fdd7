"""fmt: one order, one spelling, the same meaning, every comment beside what it speaks of."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.check.comments import comments
from synthspec.ir.canonical import digest
from synthspec.ir.plan import spec_digest
from synthspec.pipeline.front import Spot, read_written, spot
from synthspec.rewrite import formatted, formatting
from synthspec.rewrite.models import key_order, walk

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*/*.yaml"))
HEAD = "apiVersion: synthspec/v1\nkind: SRef\nmetadata: {name: x, version: 1.0.0}\nmodality: text\n"
FIELDS = "fields: [{name: a, role: content, dtype: string}]\n"


def place(text, name="x.yaml"):
    return Spot(Path(name), name, text if isinstance(text, bytes) else text.encode())


def fmt(text):
    outcome = formatted(place(text))
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value.after.decode()


def written(text):
    return read_written(place(text)).value


def out_of_order(document):
    for path, value in walk(document.model):
        if hasattr(type(value), "model_fields"):
            keys = [at[-1] for at in document.composed.places if at and at[:-1] == path]
            if keys != sorted(keys, key=key_order(value).index):
                yield path


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_normative_examples_are_written_as_fmt_writes(file):
    assert not formatted(spot(file)).value.changed


@settings(max_examples=80, deadline=None)
@given(file=st.sampled_from(EXAMPLES), seed=st.integers(0, 2**32))
def test_any_order_and_layout_comes_to_one(scrambled, file, seed):
    original = read_written(spot(file)).value
    scrambler = scrambled(seed)
    text = scrambler.document(original.composed.value)
    before, after = written(text), written(fmt(text))
    assert after.model == before.model == original.model
    assert digest("x", after.model) == digest("x", original.model)
    assert not set(out_of_order(after)) - scrambler.kept
    assert sorted(c.text for c in comments(after.composed.places)) == sorted(
        c.text for c in comments(before.composed.places)
    )
    settled = fmt(text)
    assert fmt(settled) == settled
    assert_comments_in_place(settled)


def assert_comments_in_place(text):
    lines = [line for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        match = re.search(r"# (above|beside|under) (\S+(?: \S+)*) \d+$", line)
        if match is None:
            continue
        where, key = match.groups()
        rest = range(number + 1, len(lines)) if where == "above" else range(number, -1, -1)
        code = next(lines[n] for n in rest if not lines[n].lstrip().startswith("#"))
        if where == "above":
            assert re.match(rf"[- ]*['\"]?{re.escape(key)}['\"]?:", code), (line, code)
        else:
            # The entry may end some lines below its key when it is a bracket over several lines.
            begun = next(n for n in range(number, -1, -1) if re.match(rf"[- ]*['\"]?{re.escape(key)}['\"]?:", lines[n]))
            between = lines[begun + 1 : number]
            assert all(len(b) - len(b.lstrip()) >= 3 or b.lstrip().startswith("#") for b in between), text


def test_the_digest_of_the_spec_is_the_same(scrambled):
    file = ROOT / "examples" / "digits-vae" / "spec.yaml"
    sref = read_written(spot(ROOT / "examples" / "digits-diffusion" / "digits.sref.yaml")).value.model
    original = read_written(spot(file)).value
    text = scrambled(3).document(original.composed.value)
    assert spec_digest(written(fmt(text)).model, sref) == spec_digest(original.model, sref)


# -- one thing at a time ---------------------------------------------------------------------------------------------


def test_sections_move_with_their_comments_and_the_head_stays():
    text = (
        "# yaml-language-server: $schema=x\n\n"
        "kind: SRef  # the kind\n# about the fields\n"
        "fields: [{name: a, role: content, dtype: string}]\n   # still the fields\n"
        "\n# about the name\n# in two lines\nmetadata: {name: x, version: 1.0.0}\n"
        "apiVersion: synthspec/v1\nmodality: text\n# foot\n"
    )
    assert fmt(text) == (
        "# yaml-language-server: $schema=x\n\n"
        "apiVersion: synthspec/v1\nkind: SRef  # the kind\n"
        "\n# about the name\n# in two lines\nmetadata: {name: x, version: 1.0.0}\n"
        "modality: text\n# about the fields\n"
        "fields: [{name: a, role: content, dtype: string}]\n   # still the fields\n# foot\n"
    )


def test_entries_of_list_items_move_behind_their_dash():
    text = (
        HEAD + "fields:\n  - dtype: string  # d\n    role: content\n\n    name: a\n    # last\n"
        "  -\n    role: content\n    name: b\n    dtype: bool\n"
    )
    assert fmt(text) == (
        HEAD + "fields:\n  - name: a\n    role: content\n\n    dtype: string  # d\n    # last\n"
        "  -\n    name: b\n    role: content\n    dtype: bool\n"
    )


def test_a_comment_that_cannot_stand_behind_a_dash_keeps_the_order():
    text = HEAD + "fields:\n  - role: content\n    # the name\n    name: a\n    dtype: string\n"
    assert fmt(text) == text


def test_braces_keep_their_spacing_and_line_breaks():
    text = HEAD + "fields:\n  - {role: content,   name: a,\n     shape: [ 1 ], dtype: float32 , unit: mm}\n"
    assert (
        fmt(text) == HEAD + "fields:\n  - {name: a,   role: content,\n     dtype: float32, shape: [ 1 ] , unit: mm}\n"
    )


def test_braces_with_comments_between_entries_keep_their_order():
    text = HEAD + "fields:\n  - {role: content,  # why\n     name: a, dtype: string}\n"
    assert fmt(text) == text


def test_a_hash_that_is_no_comment_does_not_stop_braces():
    text = HEAD + 'fields: [{role: content, name: a, dtype: string, description: "a # b"}]\n'
    assert "{name: a, role: content, dtype: string," in fmt(text)


def test_a_document_in_braces_is_put_in_order():
    text = (
        "{kind: SRef, apiVersion: synthspec/v1, fields: [{name: a, role: content, dtype: string}],\n"
        " modality: text, metadata: {name: x, version: 1.0.0}}\n"
    )
    assert list(written(fmt(text)).composed.value)[:3] == ["apiVersion", "kind", "metadata"]


def test_keys_of_the_user_keep_their_order():
    text = HEAD + FIELDS + "alias_map: {z: a, b: a}\n"
    assert fmt(text) == text


def test_block_texts_move_whole():
    text = (
        "apiVersion: synthspec/v1\nkind: SRef\nmetadata:\n  description: |\n    # no comment\n\n    text\n\n  # v\n"
        "  version: 1.0.0\n  name: x\nmodality: text\n" + FIELDS
    )
    after = fmt(text)
    assert after.split("metadata:\n")[1].startswith(
        "  name: x\n  # v\n  version: 1.0.0\n  description: |\n    # no comment\n\n    text\n\nmodality"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [("600.0 seconds", "600 s"), ("6e2 s", "600 s"), ("'0.5 min'", "'0.5 min'"), ('"10  minutes"', '"10 min"')],
)
def test_quantities_have_one_spelling_and_keep_their_unit(old, new):
    text = HEAD + FIELDS + "time: {tau_mono: a, window: %s}  # w\n"
    assert fmt(text % old) == text % new


def test_windows_line_breaks_and_a_byte_order_mark_stay():
    text = (
        "\ufeffkind: SRef\r\napiVersion: synthspec/v1 # a\r\nmetadata: {name: x, version: 1.0.0}\r\nmodality: text\r\n"
        + FIELDS.strip()
    )
    after = fmt(text)
    assert after.startswith("\ufeffapiVersion: synthspec/v1 # a\r\nkind: SRef\r\n")
    assert after.endswith("}]\r\n")
    assert "\n" not in after.replace("\r\n", "")


def test_a_document_end_marker_stays_at_the_end():
    text = (
        "---\nkind: SRef\napiVersion: synthspec/v1\nmetadata: {name: x, version: 1.0.0}\nmodality: text\n"
        + FIELDS
        + "...\n"
    )
    assert fmt(text).startswith("---\napiVersion")
    assert fmt(text).endswith(FIELDS + "...\n")


def test_a_key_behind_a_question_mark_is_left_alone():
    text = HEAD + "fields:\n  - role: content\n    ? name\n    : a\n    dtype: string\n"
    assert fmt(text) == text


def test_what_cannot_be_understood_is_answered_and_left():
    outcome = formatted(place(HEAD + "fieldz: []\n"))
    assert outcome.value is None
    assert [found.code for found in outcome.diagnostics] == ["schema.unknown-key"]
    assert formatted(place("kind: Poem\n")).diagnostics[0].code == "schema.bad-value"


@pytest.mark.parametrize("wrong", ["", HEAD + FIELDS.replace("name: a", "name: b"), HEAD + FIELDS + "# one too many\n"])
def test_a_result_that_means_something_else_is_refused(monkeypatch, wrong):
    monkeypatch.setattr(formatting, "laid_out", lambda *_: wrong)
    outcome = formatted(place(HEAD + FIELDS))
    assert outcome.value is None
    assert [found.code for found in outcome.diagnostics] == ["internal.fmt-unsafe"]
