"""What a signer with a bug, or a bad will, signs; and policies that say a thing twice."""

from __future__ import annotations

import base64
import json
import re
import shutil

import pytest
import rfc8785

BUNDLE, READABLE, APPROVALS = "manifest.sigstore.json", "manifest.json", "manifest.approvals.jsonl"


def found(cli, folder, *words):
    answer = cli("verify", folder, "--format", "json", *words, cwd=folder.parent)
    said = answer.json
    assert said["authentic"] == (not said["refusals"])
    assert answer.code in ((1, 2) if said["refusals"] else (0,))
    return {(each["code"], each["where"]) for each in said["refusals"]}


def codes(cli, folder, *words):
    return {code for code, _ in found(cli, folder, *words)}


def edit(name, old, new):
    def change(folder):
        data = (folder / name).read_bytes()
        assert old in data
        (folder / name).write_bytes(data.replace(old, new, 1))

    return change


def written(name, data):
    return lambda folder: (folder / name).write_bytes(data)


@pytest.fixture
def resign(config):
    """Sign the changed files of a folder, and a changed statement, with the key of the run."""
    import hashlib

    from synthspec.sign import development_key
    from synthspec.sign.bundle import PAYLOAD_TYPE, bundle_bytes
    from synthspec.sign.pae import pae

    key = development_key(config)

    def again(folder, change=lambda _: None):
        envelope = json.loads((folder / BUNDLE).read_bytes())["dsseEnvelope"]
        statement = json.loads(base64.b64decode(envelope["payload"]))
        for subject in statement["subject"]:
            data = (folder / subject["name"]).read_bytes()
            subject["digest"]["sha256"] = hashlib.sha256(data).hexdigest()
            subject["annotations"]["size"] = len(data)
        change(statement)
        payload = rfc8785.dumps(statement)
        (folder / BUNDLE).write_bytes(bundle_bytes(payload, key.sign(pae(PAYLOAD_TYPE, payload)), key.key_id))
        (folder / READABLE).unlink()

    return again


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
def test_a_signed_statement_that_no_run_makes_is_refused(cli, run_copy, resign, name):
    change, wanted = STATEMENTS[name]
    resign(run_copy, change)
    assert codes(cli, run_copy) == {wanted}


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
def test_a_signed_file_of_two_meanings_is_refused_by_its_name(cli, run_copy, resign, name):
    """What other readers take otherwise proves nothing, whoever signed it."""
    change, wanted = FILES[name]
    change(run_copy)
    resign(run_copy)
    assert found(cli, run_copy) == {wanted}


@pytest.fixture
def pinning(cli, run_copy, config, tmp_path, monkeypatch):
    """Write a trust file about the key of the run, which is the development key of this machine."""
    own = shutil.copytree(config, tmp_path / "own")
    monkeypatch.setenv("SYNTHSPEC_CONFIG_DIR", str(own))
    monkeypatch.setenv("SYNTHSPEC_STATE_DIR", str(tmp_path / "state"))
    pem = cli("keys", "show", "development", cwd=tmp_path).out

    def pin(*entries):
        text = "".join(f'[keys.{name}]\npem = """\n{pem}{more}"""\n{said}\n' for name, more, said in entries)
        (own / "trust.toml").write_text(text)
        (own / "trust.toml").chmod(0o600)
        return codes(cli, run_copy)

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
