"""What a signer with a bug, or a bad will, signs; and policies that say a thing twice."""

from __future__ import annotations

import base64
import shutil

import pytest

BUNDLE, READABLE, APPROVALS = "manifest.sigstore.json", "manifest.json", "manifest.approvals.jsonl"


def release(**changed):
    return lambda statement: statement["predicate"]["release"].update(changed)


def one_more(name):
    return lambda statement: statement["subject"].append({**statement["subject"][0], "name": name})


STATEMENTS = {
    **{
        f"made at {instant}": (release(createdAt=instant), "SCHEMA")
        for instant in (
            "2026-01-01T00:00:00+00:00", "2026-01-01t00:00:00z", "2026-06-30T23:59:60Z", "2026-06-30T24:00:00Z",
            "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "\u0662026-01-01T00:00:00Z",
        )
    },
    "ended before it was made": (
        release(createdAt="2026-01-02T00:00:00Z", expiresAt="2026-01-01T00:00:00Z"),
        "EXPIRED",
    ),
    **{f"release {number!r}": (release(sequence=number), "SCHEMA") for number in (0, -1, 1.5, "1", True)},
    "a later release that follows none": (release(sequence=5), "CHAIN_BROKEN"),
    "a first release that follows one": (release(previous={"sha256": "0" * 64}), "CHAIN_BROKEN"),
    "a release that follows an MD5": (release(sequence=2, previous={"md5": "0" * 32}), "SCHEMA"),
    **{
        f"a file called {ascii(name)[:40]}": (one_more(name), "BAD_NAME")
        for name in (
            "e\u0301.txt", "\u00e9.txt", "\uff53amples.csv", "sam\u00adples.csv", "samples.csv ", "weights/", "-rf",
            "samples.csv:stream", "a" * 300, "/".join("a" * 400), "COM\u00b9", "Manifest.Sigstore.json", APPROVALS,
        )
    },
    "no predicate": (lambda statement: statement.update(predicate=None), "SCHEMA"),
    "a size that is no number": (
        lambda statement: statement["subject"][0]["annotations"].update(size="12"),
        "SCHEMA",
    ),
    "a mode beside the size": (
        lambda statement: statement["subject"][0]["annotations"].update(mode="0777"),
        "SCHEMA",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_signed_statement_that_no_run_makes_is_refused(found, run_copy, resign, name):
    change, wanted = STATEMENTS[name]
    resign(run_copy, change)
    assert {code for code, _ in found(run_copy)} == {wanted}


@pytest.fixture
def pinning(cli, found, run_copy, config, tmp_path, monkeypatch):
    """Write a trust file about the key of the run, which is the development key of this machine."""
    own = shutil.copytree(config, tmp_path / "own")
    monkeypatch.setenv("SYNTHSPEC_CONFIG_DIR", str(own))
    monkeypatch.setenv("SYNTHSPEC_STATE_DIR", str(tmp_path / "state"))
    pem = cli("keys", "show", "development", cwd=tmp_path).out

    def pin(*entries):
        text = "".join(f'[keys.{name}]\npem = """\n{pem}{more}"""\n{said}\n' for name, more, said in entries)
        (own / "trust.toml").write_text(text)
        (own / "trust.toml").chmod(0o600)
        return {code for code, _ in found(run_copy)}

    return pin


REVOKED = "revoked = 2020-01-01T00:00:00+00:00"


def test_what_the_trust_file_says_of_the_development_key_counts(pinning):
    assert pinning(("mine", "", "")) == set()
    assert pinning(("mine", "", REVOKED)) == {"KEY_REVOKED"}
    assert pinning(("mine", "", 'streams = ["other"]')) == {"TRUST_POLICY"}


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_one_key_under_two_names_is_no_policy(pinning, order):
    said = {"a": "", "b": REVOKED}
    assert pinning(*((name, "", said[name]) for name in order)) == {"TRUST_POLICY"}


def test_one_key_is_pinned_once_in_whatever_form(cli, run_copy, tmp_path, monkeypatch):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    monkeypatch.setenv("SYNTHSPEC_CONFIG_DIR", str(tmp_path / "own"))
    assert cli("keys", "new", "team", cwd=tmp_path).code == 0
    pem = cli("keys", "show", "team", cwd=tmp_path).out.encode()
    key = load_pem_public_key(pem)
    point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    der = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point
    short = b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(der) + b"\n-----END PUBLIC KEY-----\n"
    forms = {"pem": pem, "ssh": key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH), "short": short}
    for name, data in forms.items():
        (tmp_path / name).write_bytes(data)
        answer = cli("trust", "add", name, tmp_path / name, cwd=tmp_path)
        assert answer.code == (0 if name == "pem" else 2)
        assert name == "pem" or "trusted already, as pem" in answer.err


def test_a_file_of_two_keys_is_none(cli, pinning, tmp_path):
    second = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
    assert pinning(("mine", second, "")) == {"KEY_FORMAT"}


def test_one_s_own_development_key_is_called_one_whatever_the_manifest_says(cli, run_copy, resign):
    resign(run_copy, lambda statement: statement["predicate"]["key"].update(kind="user"))
    answer = cli("verify", run_copy, cwd=run_copy.parent)
    assert answer.code == 0
    assert "(a development key: it proves that nothing changed since, not who signed)" in answer.out
