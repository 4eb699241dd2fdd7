"""Signing: the bytes are what other programs expect, the same every time, and nothing is signed that we would refuse."""

import base64
import json
import shutil
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from synthspec.sign import Subject, sign
from synthspec.sign.bundle import PAYLOAD_TYPE
from synthspec.sign.clock import now
from synthspec.sign.pae import pae
from synthspec.sign.signing import key_ref, sign_profile


def subjects(run):
    return [
        Subject(item["name"], item["digest"]["sha256"], item["annotations"]["size"])
        for item in json.loads(run.payload())["subject"]
    ]


def test_the_dsse_vector_is_reproduced_byte_for_byte(keys):
    """secure-systems-lab/dsse, protocol.md: P-256, RFC 6979, raw r and s."""
    message = pae("http://example.com/HelloWorld", b"hello world")
    assert message == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    r, s = decode_dss_signature(keys[0].sign(message))
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert base64.b64encode(raw).decode() == (
        "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="
    )


def test_pae_counts_bytes_not_letters():
    assert pae("é", "ü€".encode()) == b"DSSEv1 2 \xc3\xa9 5 \xc3\xbc\xe2\x82\xac"
    assert pae("", b"") == b"DSSEv1 0  0 "


@pytest.mark.parametrize("index", [0, 2], ids=["p256", "ed25519"])
def test_one_manifest_gives_one_bundle(signed, keys, index):
    key = keys[index]
    manifest = signed.manifest.model_copy(update={"key": key_ref(key), "sign": sign_profile(key)})
    bundle = sign(manifest, subjects(signed), key)
    assert sign(manifest, subjects(signed)[::-1], key) == bundle


def test_a_bundle_has_the_shape_of_sigstore(signed):
    value = json.loads(signed.bundle)
    assert value["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert value["verificationMaterial"] == {"publicKey": {"hint": signed.key.key_id}}
    assert value["dsseEnvelope"]["payloadType"] == "application/vnd.in-toto+json"
    statement = json.loads(signed.payload())
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://synthspec.dev/manifest.synth.deep/v1"
    assert [item["name"] for item in statement["subject"]] == sorted(item["name"] for item in statement["subject"])


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")
@pytest.mark.parametrize("index", [0, 2], ids=["p256", "ed25519"])
def test_openssl_verifies_what_we_sign(signed, keys, index, tmp_path):
    message = pae(PAYLOAD_TYPE, signed.payload())
    (tmp_path / "pub.pem").write_text(keys[index].public.pem)
    (tmp_path / "sig").write_bytes(keys[index].sign(message))
    ecdsa = ["dgst", "-sha256", "-verify", "pub.pem", "-signature", "sig", "pae"]
    edwards = ["pkeyutl", "-verify", "-pubin", "-inkey", "pub.pem", "-rawin", "-in", "pae", "-sigfile", "sig"]
    for content, accepted in ((message, True), (message + b"x", False)):
        (tmp_path / "pae").write_bytes(content)
        done = subprocess.run(
            ["openssl", *([edwards, ecdsa][index == 0])], cwd=tmp_path, capture_output=True, check=False
        )
        assert (done.returncode == 0) is accepted


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "../up"},
        {"name": "manifest.json"},
        {"name": "samples/A.npz"},
        {"name": "samples/b.npz"},
        {"sha256": "no"},
        {"size": -1},
        {"size": 2**53},
    ],
)
def test_nothing_is_signed_that_would_be_refused(signed, changed):
    bad = {"name": "x", "sha256": "0" * 64, "size": 1} | changed
    with pytest.raises(ValueError, match="not signed"):
        sign(signed.manifest, [*subjects(signed), Subject(**bad)], signed.key)


def test_a_manifest_is_signed_by_the_key_it_names(signed):
    with pytest.raises(ValueError, match="KEY_HINT"):
        sign(signed.manifest, subjects(signed), signed.other)
    with pytest.raises(ValueError, match="SUBJECT_COUNT"):
        sign(signed.manifest, [], signed.key)


def test_the_clock_can_be_set():
    assert now({"SOURCE_DATE_EPOCH": "0"}) == "1970-01-01T00:00:00Z"
    assert now({"SOURCE_DATE_EPOCH": "1769860800"}) == "2026-01-31T12:00:00Z"
    assert now({}) > "2026"
    for wrong in ("-1", "1.5", "soon", "1" * 12):
        with pytest.raises(ValueError, match="SOURCE_DATE_EPOCH"):
            now({"SOURCE_DATE_EPOCH": wrong})


def test_verifying_loads_nothing_heavy():
    script = (
        "import sys, time; t = time.process_time(); import synthspec.sign.verify; used = time.process_time() - t;"
        "heavy = {'numpy', 'scipy', 'torch', 'networkx', 'pint', 'jsonschema', 'yaml'} & set(sys.modules);"
        "sys.exit(f'{heavy} {used}' if heavy or used > 1.0 else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
