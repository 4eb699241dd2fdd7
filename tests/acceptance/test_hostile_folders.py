"""Folders that nobody would write by accident: names, links, JSON of two meanings."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import unicodedata

import pytest

BUNDLE, READABLE, APPROVALS = "manifest.sigstore.json", "manifest.json", "manifest.approvals.jsonl"


def edit(name, old, new):
    def change(folder):
        data = (folder / name).read_bytes()
        assert old in data
        (folder / name).write_bytes(data.replace(old, new, 1))

    return change


def moved(old, new):
    return lambda folder: (folder / old).rename(folder / new)


def copied(old, new):
    return lambda folder: shutil.copy(folder / old, folder / new)


def written(name, data):
    return lambda folder: (folder / name).write_bytes(data)


def listening(folder):
    with socket.socket(socket.AF_UNIX) as made, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # a path of a socket is short
        made.bind("s")


def link_to(name, target):
    return lambda folder: (folder / name).symlink_to(target)


def away(name):
    def change(folder):
        (folder / name).rename(folder.parent / "away")
        (folder / name).symlink_to(folder.parent / "away")

    return change


def exchanged(one, other):
    def change(folder):
        first, second = ((folder / name).read_bytes() for name in (one, other))
        (folder / one).write_bytes(second)
        (folder / other).write_bytes(first)

    return change


E_ACUTE = unicodedata.normalize("NFD", "samples\u00e9.csv")
FOLDERS = {
    "a hard link inside": (
        lambda folder: os.link(folder / "samples.csv", folder / "again.csv"),
        {("HARDLINK", "samples.csv"), ("EXTRA_FILE", "again.csv")},
    ),
    "the bundle behind a link": (away(BUNDLE), {("SYMLINK", BUNDLE)}),
    "approvals behind a link": (link_to(APPROVALS, BUNDLE), {("SYMLINK", APPROVALS)}),
    "a link to nothing": (link_to("gone", "nowhere"), {("SYMLINK", "gone")}),
    "a link in a circle": (link_to("weights/loop", ".."), {("SYMLINK", "weights/loop")}),
    "a socket": (listening, {("SPECIAL_FILE", "s")}),
    "another case": (
        moved("samples.csv", "Samples.csv"),
        {("EXTRA_FILE", "Samples.csv"), ("MISSING_FILE", "samples.csv")},
    ),
    "both cases": (copied("samples.csv", "SAMPLES.CSV"), {("EXTRA_FILE", "SAMPLES.CSV")}),
    "a decomposed letter": (written(E_ACUTE, b""), {("EXTRA_FILE", E_ACUTE)}),
    "a space at the end": (lambda folder: (folder / "weights ").mkdir(), {("EXTRA_FILE", "weights ")}),
    "a hidden file": (written(".DS_Store", b""), {("EXTRA_FILE", ".DS_Store")}),
    "a copy of the bundle": (copied(BUNDLE, BUNDLE + "~"), {("EXTRA_FILE", BUNDLE + "~")}),
    "the readable copy in capitals": (copied(READABLE, "MANIFEST.JSON"), {("EXTRA_FILE", "MANIFEST.JSON")}),
    "approvals in another case": (
        copied(BUNDLE, "Manifest.approvals.jsonl"),
        {("EXTRA_FILE", "Manifest.approvals.jsonl")},
    ),
    "a run inside": (
        lambda folder: shutil.copytree(folder, folder / "weights" / "x", ignore=lambda *_: {"x"}),
        {("EXTRA_FILE", "weights/x")},
    ),
    "companions in each other's place": (
        exchanged("weights.oms.sig", "test-result.sigstore.json"),
        {("SIZE", "weights.oms.sig"), ("SIZE", "test-result.sigstore.json")},
    ),
    "a verdict twice in the readable copy": (
        edit(READABLE, b'"verdict"', b'"verdict": "FAIL", "verdict"'),
        {("DIGEST", READABLE)},
    ),
    "the same behind an escape": (
        edit(READABLE, b'"verdict"', b'"\\u0076erdict": "FAIL", "verdict"'),
        {("DIGEST", READABLE)},
    ),
    "1 for true": (edit(READABLE, b"true", b"1"), {("DIGEST", READABLE)}),
    "NaN in the readable copy": (edit(READABLE, b"true", b"NaN"), {("DIGEST", READABLE)}),
    "a deep readable copy": (written(READABLE, b'{"a":' * 5000 + b"1" + b"}" * 5000), {("DIGEST", READABLE)}),
    "a byte-order mark": (edit(READABLE, b"{", b"\xef\xbb\xbf{"), {("DIGEST", READABLE)}),
    "a sparse readable copy": (lambda folder: os.truncate(folder / READABLE, 1 << 40), {("DIGEST", READABLE)}),
    "a key twice, deep in the bundle": (
        edit(BUNDLE, b'"payloadType"', b'"payloadType":"x","payloadType"'),
        {("DUPLICATE_KEY", "")},
    ),
    "a key twice by an escape": (
        edit(BUNDLE, b'"payload"', b'"p\\u0061yload":"x","payload"'),
        {("DUPLICATE_KEY", "")},
    ),
    "an overlong letter": (edit(BUNDLE, b'"payload"', b'"\xc1\xb0ayload"'), {("NOT_UTF8", "")}),
    "a NUL at the end": (lambda f: (f / BUNDLE).write_bytes((f / BUNDLE).read_bytes() + b"\0"), {("NOT_UTF8", "")}),
    "a comment": (lambda f: (f / BUNDLE).write_bytes((f / BUNDLE).read_bytes() + b"//x"), {("BAD_JSON", "")}),
    "a blank approval": (written(APPROVALS, b"\n\n"), {("BAD_JSON", "line 1 of the approvals")}),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_what_lies_there_otherwise_is_refused_and_named(found, run_copy, name):
    change, wanted = FOLDERS[name]
    change(run_copy)
    assert found(run_copy) == wanted


SAME = {
    "another layout of the readable copy": lambda f: (f / READABLE).write_text(
        json.dumps(json.loads((f / READABLE).read_bytes()), indent=7)
    ),
    "no readable copy": lambda f: (f / READABLE).unlink(),
    "space around the bundle": lambda f: (f / BUNDLE).write_bytes(b"\n" + (f / BUNDLE).read_bytes() + b"\r\n"),
    "its own bundle as an approval, twice": lambda f: (f / APPROVALS).write_bytes(
        ((f / BUNDLE).read_bytes() + b"\n") * 2
    ),
    "files of another age": lambda f: os.utime(f / "samples.csv", (0, 0)),
}


@pytest.mark.parametrize("name", SAME)
def test_what_says_the_same_is_accepted(found, run_copy, name):
    SAME[name](run_copy)
    assert found(run_copy) == set()
    link = run_copy.parent / "link"
    link.symlink_to(run_copy)
    assert found(link) == set(), "who names a folder by a link means the folder"


def infinite(folder):
    data, count = re.subn(rb'"u":[0-9.e-]+', b'"u":1e999', (folder / "evidence.json").read_bytes(), count=1)
    assert count
    (folder / "evidence.json").write_bytes(data)


FILES = {
    "a figure twice": (edit("evidence.json", b'"value":', b'"value":0,"value":'), ("DUPLICATE_KEY", "evidence.json")),
    "all figures twice": (
        edit("evidence.json", b'{"figures":', b'{"figures":[],"figures":'),
        ("DUPLICATE_KEY", "evidence.json"),
    ),
    "something more": (edit("evidence.json", b'{"figures":', b'{"x":1,"figures":'), ("SCHEMA", "evidence.json")),
    "no finite number": (infinite, ("NON_FINITE", "evidence.json")),
    "a deep file": (written("evidence.json", b"[" * 100_000), ("TOO_DEEP", "evidence.json")),
    "a byte-order mark": (edit("evidence.json", b"{", b"\xef\xbb\xbf{"), ("NOT_UTF8", "evidence.json")),
    "a limit twice": (edit("plan.json", b'"limit":', b'"limit":99,"limit":'), ("DUPLICATE_KEY", "plan.json")),
    "a digest twice": (
        edit("plan.json", b'"spec_digest":', b'"spec_digest":"x","spec_digest":'),
        ("DUPLICATE_KEY", "plan.json"),
    ),
    "a number of 5000 digits": (
        edit("plan.json", b'"n":', b'"m":' + b"9" * 5000 + b',"n":'),
        ("INT_RANGE", "plan.json"),
    ),
    "two specs in one": (
        lambda f: (f / "spec.resolved.yaml").write_bytes((f / "spec.resolved.yaml").read_bytes() + b"---\na: 1\n"),
        ("VERDICT_INCONSISTENT", "spec.resolved.yaml"),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_signed_file_of_two_meanings_is_refused_by_its_name(found, run_copy, resign, name):
    """What other readers take otherwise proves nothing, whoever signed it."""
    change, wanted = FILES[name]
    change(run_copy)
    resign(run_copy)
    assert found(run_copy) == {wanted}
