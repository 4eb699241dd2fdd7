"""The front door: bytes from outside, names, messages, and faults of our own."""

import hashlib
import json
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.ir.canonical import canonical_bytes
from synthspec.sign import consistency, names, read_bundle, strict_json, verify_bundle, verify_tree
from synthspec.sign.public_key import PublicKey
from synthspec.sign.refusal import Refusal, Refused, printable
from synthspec.sign.strict_json import MAX_BYTES, load, load_canonical

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: abs(x) < 2**53)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab[]{}\\",:', max_size=4), inner, max_size=4),
    max_leaves=20,
)


def code(call, *args):
    with pytest.raises(Refused) as caught:
        call(*args)
    return caught.value.refusals[0].code


@given(VALUES)
def test_what_is_canonical_passes_and_means_the_same(value):
    assert load_canonical(canonical_bytes(value), "it") == value


@given(VALUES, st.integers(0, 2))
def test_another_spelling_is_not_canonical(value, indent):
    text = json.dumps([value, 1], indent=indent).encode()
    assert load(text, "it") == [value, 1]
    assert code(load_canonical, text, "it") == "NOT_CANONICAL"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b'{"a":1,"b":2,"a":1}', "DUPLICATE_KEY"),
        (b'{"a":1,"\\u0061":2}', "DUPLICATE_KEY"),
        (b"NaN", "NON_FINITE"),
        (b"-Infinity", "NON_FINITE"),
        (b"-1e999", "NON_FINITE"),
        (b"9007199254740992", "INT_RANGE"),
        (b"-9007199254740992", "INT_RANGE"),
        (b'"\\ud800"', "BAD_JSON"),
        (b'{"\\udc00":1}', "BAD_JSON"),
        (b'["\\uDBFF\\u0041"]', "BAD_JSON"),
        (b'"\xed\xa0\x80"', "NOT_UTF8"),
        (b'"\xc0\xaf"', "NOT_UTF8"),
        (b'"\t"', "BAD_JSON"),
        (b"[1,]", "BAD_JSON"),
        (b"{'a':1}", "BAD_JSON"),
        (b"[01]", "BAD_JSON"),
        (b"[1 2]", "BAD_JSON"),
        (b"// no\n1", "BAD_JSON"),
        (b"[" * 65 + b"]" * 65, "TOO_DEEP"),
    ],
)
def test_what_has_no_single_meaning_is_refused(text, wanted):
    assert code(load, text, "it") == wanted


def test_limits_are_where_they_are_said_to_be():
    assert load(b"[" * 64 + b"]" * 64, "it")
    assert load(b"9007199254740991", "it") == 2**53 - 1
    assert load(b'"' + b"[" * 1000 + b'\\"]"', "it") == "[" * 1000 + '"]'
    assert load(b'"\\ud83d\\ude00"', "it") == "😀"


@pytest.mark.parametrize("unit", [b'\\"', b'"', b'"\\', b"[]", b'"",', b"\\", b'{"":'])
def test_the_scan_before_parsing_is_linear(unit):
    text = unit * (MAX_BYTES // len(unit))
    begun = time.process_time()
    code(load, text, "it")
    assert time.process_time() - begun < 3


@pytest.mark.parametrize("text", ["QUJD", "QUI=", ""])
def test_base64_in_its_one_form(text):
    assert strict_json.decode_base64(text, "it") in {b"ABC", b"AB", b""}


@pytest.mark.parametrize("text", ["QUJ=", "QUJD\n", "QUI", "Q-JD", "QUJD====", "é"])
def test_base64_in_any_other(text):
    assert code(strict_json.decode_base64, text, "it") == "BASE64"


@pytest.mark.parametrize("name", ["a", "a/b.c", "weights/engine-01.safetensors", "_x/1@2=3+4", "com/console", "a/con1"])
def test_plain_names(name):
    assert names.fault(name) == ""


@pytest.mark.parametrize(
    "name",
    [
        *(".", "..", "a/..", ".hidden", "-rf", "~/x", "$HOME", "%2e", "a:b"),
        *("a b", "a ", "é", "COM1", "lpt9.txt", "Aux.", "MANIFEST.json"),
        *("x" * 256, "/".join(["a"] * 33), "a/" * 600 + "a"),
    ],
)
def test_names_that_mean_different_things_in_different_places(name):
    assert names.fault(name)


@given(st.text())
def test_m98_nothing_printed_can_move_the_cursor(text):
    refusal = Refusal("BAD_NAME", text, text)
    assert refusal.message.isprintable()
    assert refusal.where.isprintable()
    assert len(refusal.message) <= 400


def test_m98_escapes_and_length():
    assert printable("\x1b[2J\u202e\udcff\n") == "\\x1b[2J\\u202e\\udcff\\n"
    assert len(printable("x" * 1_000_000)) == 400


@pytest.mark.parametrize("kind", ["/dev/zero", "fifo", "folder", "nothing", "huge"])
def test_m86_a_bundle_that_is_no_file(tmp_path, kind):
    path = tmp_path / kind
    if kind == "/dev/zero":
        path = type(path)(kind)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        path.touch()
        os.truncate(path, 1 << 40)
    (refusal,) = read_bundle(path)
    assert refusal.code == ("TOO_LARGE" if kind == "huge" else "IO")


def test_m86_a_readable_file_is_read(signed):
    assert read_bundle(signed.folder / "manifest.sigstore.json") == signed.bundle


def breaks(*args, **kwargs):
    raise RuntimeError("injected\x1b[2J")


@pytest.mark.parametrize(
    ("owner", "name"), [(json, "loads"), (PublicKey, "verifies"), (strict_json, "canonical_bytes")], ids=str
)
def test_m90_a_fault_of_ours_never_verifies(run, monkeypatch, owner, name):
    monkeypatch.setattr(owner, name, breaks)
    (refusal,) = verify_bundle(run.bundle, run.trusted)
    assert refusal.code == "INTERNAL"
    assert refusal.message.isprintable()


@pytest.mark.parametrize(
    ("owner", "name"), [(hashlib, "sha256"), (os, "stat"), (os, "fstat"), (os, "scandir")], ids=str
)
def test_m90_a_fault_while_reading_files_never_verifies(run, monkeypatch, owner, name):
    statement = verify_bundle(run.bundle, run.trusted)
    assert verify_tree(statement, run.folder) == ()
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, breaks)
        refusals = verify_tree(statement, run.folder)
    assert [refusal.code for refusal in refusals] == ["INTERNAL"]


def test_m90_a_fault_while_judging_never_verifies(run, monkeypatch):
    monkeypatch.setattr("synthspec.sign.claims.gate_of", breaks)
    assert [refusal.code for refusal in consistency(run.manifest)] == ["INTERNAL"]


def test_m90_an_unreadable_file_is_not_passed_over(run, monkeypatch):
    opened = os.open

    def denies(path, *args, **kwargs):
        if path == "a.npz":
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", denies)
    assert [(refusal.code, refusal.where) for refusal in run.refusals()] == [("IO", "samples/a.npz")]


def test_a_refusal_of_the_whole_names_no_place():
    """``refused[TRUST_POLICY]: : no key`` is a message with a hole in it."""
    assert str(Refusal("TRUST_POLICY", "no key is trusted")) == "no key is trusted"
    assert str(Refusal("DIGEST", "changed", "samples.csv")) == "samples.csv: changed"
