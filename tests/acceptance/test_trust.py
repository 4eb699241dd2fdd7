"""Releases of one stream, keys that are pinned, approvals: as the people who answer for them use the program."""

import json
import shutil
import subprocess
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEYS = "keys"


@pytest.fixture
def desk(cli, tmp_path, monkeypatch):
    """A configuration and a memory of one's own, with a key `team`."""
    monkeypatch.setenv("SYNTHSPEC_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("SYNTHSPEC_STATE_DIR", str(tmp_path / "state"))
    assert cli("keys", "new", "team", cwd=tmp_path).code == 0
    public = tmp_path / "team.pub"
    public.write_text(cli("keys", "show", "team", cwd=tmp_path).out)
    return tmp_path


def make(cli, spec, store, out, *words):
    answer = cli("run", spec, "--store", store, "--out", out, "--quiet", "--key", "team", *words, cwd=spec.parent)
    assert answer.code == 0, answer.out + answer.err
    return json.loads((out / "manifest.json").read_text())["release"]


def verified(cli, folder, *words):
    answer = cli("verify", folder, "--format", "json", *words, cwd=folder.parent)
    return [each["code"] for each in answer.json["refusals"]] or answer.json["ordered"]


def test_releases_are_numbered_and_an_older_one_is_refused(cli, desk, spec, store_copy):
    first, second = desk / "r1", desk / "r2"
    one = make(cli, spec, store_copy, first)
    assert (one["sequence"], "previous" in one) == (1, False)
    assert make(cli, spec, store_copy, desk / "again")["sequence"] == 1, "the same run made again is the same release"
    two = make(cli, spec, store_copy, second, "--set", "sampling.n=150")
    assert two["sequence"] == 2
    assert cli("trust", "add", "team", desk / "team.pub", "--stream", "marks*", cwd=desk).code == 0
    assert verified(cli, desk / "again") is True
    assert verified(cli, second) is True
    assert verified(cli, desk / "again") == ["ROLLBACK"]
    assert cli("trust", "revoke", "team", cwd=desk).code == 0
    assert verified(cli, second) == ["KEY_REVOKED"]
    assert cli("trust", "remove", "team", cwd=desk).code == 0
    assert verified(cli, second) == ["TRUST_POLICY"]
    assert verified(cli, second, "--key", desk / "team.pub") is False


def test_another_machine_goes_on_from_the_release_before(cli, desk, spec, store_copy, monkeypatch):
    make(cli, spec, store_copy, desk / "r1")
    monkeypatch.setenv("SYNTHSPEC_STATE_DIR", str(desk / "elsewhere"))
    cli("trust", "add", "team", desk / "team.pub", cwd=desk)
    two = make(cli, spec, store_copy, desk / "r2", "--previous", desk / "r1", "--set", "sampling.n=150")
    assert two["sequence"] == 2
    assert verified(cli, desk / "r1") is True
    assert verified(cli, desk / "r2") is True


def test_a_clock_shows_that_a_release_is_older_than_the_revocation(cli, desk, spec, store_copy):
    if shutil.which("openssl") is None:
        pytest.skip("TIME STAMPS NOT TRIED: there is no openssl to make them with")
    pytest.importorskip("rfc3161_client", reason="TIME STAMPS NOT TRIED: the extra `timestamps` is not installed")
    folder = desk / "r1"
    make(cli, spec, store_copy, folder)
    query, reply, root = clock(desk, lambda query: cli("keys", "timestamp", folder, "--query", query, cwd=desk).code)
    assert cli("keys", "timestamp", folder, "--reply", query, cwd=desk).code == 1
    before = (folder / "manifest.sigstore.json").read_bytes()
    answer = cli("keys", "timestamp", folder, "--reply", reply, "--answers", query, cwd=desk)
    assert (answer.code, "no root of a clock" in answer.out) == (0, True), answer.err
    cli("trust", "add", "team", desk / "team.pub", cwd=desk)
    assert verified(cli, folder) is True
    assert "carries a time stamp" in cli("verify", folder, cwd=desk).out
    assert cli("trust", "revoke", "team", "--at", "2099-01-01", cwd=desk).code == 0
    assert verified(cli, folder) == ["KEY_REVOKED"]
    assert cli("trust", "clock", root, cwd=desk).code == 0
    assert "clocks below CN=root" in cli("trust", "list", cwd=desk).out
    assert verified(cli, folder) is True
    assert cli("verify", folder, "--format", "json", cwd=desk).json["signed_before"].startswith("20")
    assert "a clock that you trust says so" in cli("verify", folder, cwd=desk).out
    (folder / "manifest.sigstore.json").write_bytes(before)
    assert verified(cli, folder) == ["KEY_REVOKED"]


def test_timestamp_says_what_to_give(cli, desk):
    for words in ((), ("--query", "a", "--reply", "b"), ("--query", "a", "--answers", "b")):
        assert cli("keys", "timestamp", desk, *words, cwd=desk).code == 2
    assert cli("trust", "clock", desk / "team.pub", cwd=desk).code == 2


def clock(folder, ask):
    """(request, reply, root) of a time-stamping authority made here; `ask` writes the request."""
    here = folder / "clock"
    here.mkdir()
    sections = (
        "[req]\ndistinguished_name=dn\n[dn]\n[tsa]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.2.3",
        "digests=sha256\n[root]\nbasicConstraints=critical,CA:true\nextendedKeyUsage=critical,timeStamping\n",
    )
    (here / "c.cnf").write_text("\n".join(sections))
    (here / "serial").write_text("01\n")
    assert ask(here / "q.tsq") == 0
    for words in (
        "ecparam -name prime256v1 -genkey -noout -out root.key",
        "req -x509 -new -key root.key -subj /CN=root -days 9 -config c.cnf -extensions root -out root.pem",
        "ts -reply -config c.cnf -section tsa -queryfile q.tsq -signer root.pem -inkey root.key -out r.tsr",
    ):
        subprocess.run(["openssl", *words.split()], cwd=here, check=True, capture_output=True, timeout=30)
    return here / "q.tsq", here / "r.tsr", here / "root.pem"


def test_two_must_sign(cli, desk, spec, store_copy):
    make(cli, spec, store_copy, desk / "r1")
    cli("keys", "new", "steward", "--algorithm", "ed25519", cwd=desk)
    (desk / "steward.pub").write_text(cli("keys", "show", "steward", cwd=desk).out)
    for name in ("team", "steward"):
        assert cli("trust", "add", name, desk / f"{name}.pub", cwd=desk).code == 0
    assert cli("trust", "threshold", "marks*", "2", cwd=desk).code == 0
    assert verified(cli, desk / "r1") == ["TRUST_POLICY"]
    assert cli("keys", "approve", desk / "r1", "--key", "team", cwd=desk).code == 0
    assert verified(cli, desk / "r1") == ["TRUST_POLICY"]
    assert cli("keys", "approve", desk / "r1", "--key", "steward", cwd=desk).code == 0
    assert verified(cli, desk / "r1") is True
    listed = cli("trust", "list", cwd=desk).out
    assert "streams marks*: 2 distinct keys must sign" in listed
    shutil.copy(desk / "r1" / "manifest.approvals.jsonl", desk / "kept")
    (desk / "r1" / "samples.csv").write_text("tampered\n")
    refused = cli("keys", "approve", desk / "r1", "--key", "steward", cwd=desk)
    assert refused.code == 1
    assert (desk / "r1" / "manifest.approvals.jsonl").read_bytes() == (desk / "kept").read_bytes()


def test_an_encrypted_key_signs_with_its_passphrase_alone(cli, desk, spec, store_copy, monkeypatch):
    monkeypatch.setenv("SYNTHSPEC_KEY_PASSPHRASE", "correct horse")
    assert cli("keys", "new", "vault", "--encrypt", cwd=desk).code == 0
    text = (desk / "config" / "keys" / "vault.pem").read_text()
    assert "OPENSSH PRIVATE KEY" in text
    make(cli, spec, store_copy, desk / "r1", "--key", "vault")
    monkeypatch.setenv("SYNTHSPEC_KEY_PASSPHRASE", "wrong")
    words = ("run", spec, "--store", store_copy, "--out", desk / "r2", "--quiet", "--key", "vault")
    wrong = cli(*words, cwd=spec.parent)
    assert (wrong.code, "wrong passphrase" in wrong.err) == (2, True)
    monkeypatch.delenv("SYNTHSPEC_KEY_PASSPHRASE")
    none = cli(*words, cwd=spec.parent)
    assert (none.code, "--passphrase-fd" in none.err) == (2, True)
    assert not (desk / "r2").exists()
    listed = cli("keys", "list", cwd=desk).out
    assert "vault\tuser, encrypted\tecdsa-p256-sha256" in listed
    assert cli("keys", "show", "vault", cwd=desk).out.startswith("-----BEGIN PUBLIC KEY-----")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "a b", "team.pub"), "keys"),
        (("add", "team", "absent.pub"), "IO"),
        (("add", "team", "team.pub", "--from", "yesterday"), "not an instant"),
        (("remove", "nobody"), "no key is called nobody"),
    ],
)
def test_what_cannot_be_trusted_changes_nothing(cli, desk, words, said):
    answer = cli("trust", *words, cwd=desk)
    assert answer.code == 2
    assert said in answer.err
    assert not (desk / "config" / "trust.toml").exists()


def test_a_manifest_ends_when_the_spec_says(cli, desk, spec, store_copy, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767268800")
    release = make(cli, spec, store_copy, desk / "r1", "--set", "release.max_age_days=30")
    assert (release["createdAt"], release["expiresAt"]) == ("2026-01-01T12:00:00Z", "2026-01-31T12:00:00Z")
    assert verified(cli, desk / "r1", "--key", desk / "team.pub") == ["EXPIRED"]


def test_a_device_that_goes_away_before_it_signs_leaves_nothing_and_loses_nothing(
    cli, desk, spec, store_copy, monkeypatch
):
    """The PIN is proved before anything is made; when the token is gone at the end, what was made is in the store."""
    private, asked = ec.generate_private_key(ec.SECP256R1()), []

    class Token:
        """Signs once, then somebody unplugs it."""

        def import_(self, *_):
            pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            return "hsm:2", SimpleNamespace(keytype="ecdsa", keyval={"public": pem})

        def sign(self, payload):
            asked.append(payload)
            if len(asked) == 2:
                raise OSError("unplugged")
            return SimpleNamespace(signature=private.sign(payload, ec.ECDSA(hashes.SHA256())).hex())

    token = Token()
    library = SimpleNamespace(HSMSigner=token, Signer=SimpleNamespace(from_priv_key_uri=lambda *_: token))
    monkeypatch.setattr("synthspec.sign.device._library", lambda: library)
    words = ("run", spec, "--store", store_copy, "--out", desk / "r1", "--quiet", "--key", "hsm:2")
    gone = cli(*words, cwd=spec.parent)
    assert (gone.code, "KEY_DEVICE: hsm:2: the device or service says: OSError: unplugged" in gone.err) == (2, True)
    assert not (desk / "r1").exists()
    assert cli(*words, cwd=spec.parent).code == 0
    (desk / "token.pub").write_text(cli("keys", "show", "hsm:2", cwd=desk).out)
    assert cli("verify", desk / "r1", "--key", desk / "token.pub", cwd=desk).code == 0
