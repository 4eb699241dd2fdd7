"""Keys in services, over the wire: the clients of AWS KMS and Vault speak to a server of ours on this machine.

The server answers the calls that signing needs as the services document them, and its faults as they name them. Everything
between it and the bundle is what a user has: boto3 or hvac, securesystemslib, the command line.
"""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ACCESS, SECRET, TOKEN = "AKIDOFTHISTEST000000", "the-secret-half-of-an-access-key", "hvs.the-token-of-this-test"
KEYS = {
    "team": ec.generate_private_key(ec.SECP256R1()),
    "off": ec.generate_private_key(ec.SECP256R1()),
    "wide": ec.generate_private_key(ec.SECP384R1()),
    "rsa": rsa.generate_private_key(65537, 2048),
    "edwards": ed25519.Ed25519PrivateKey.generate(),
}
ALGORITHMS = {
    "team": ["ECDSA_SHA_256"],
    "off": ["ECDSA_SHA_256"],
    "wide": ["ECDSA_SHA_384"],
    "rsa": ["RSASSA_PSS_SHA_256"],
}


class FaultError(Exception):
    """An answer that is none: its HTTP status and body."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status)
        self.status, self.body = status, body


def denied(kind: str, message: str) -> FaultError:
    return FaultError(400, {"__type": kind, "message": message})


def kms(target: str, credential: str, asked: dict[str, Any]) -> object:
    """AWS KMS: `TrentService.GetPublicKey` and `TrentService.Sign`, its JSON 1.1 protocol."""
    if f"Credential={ACCESS}/" not in credential:
        raise denied("UnrecognizedClientException", "The security token included in the request is invalid.")
    name = asked["KeyId"].removeprefix("alias/")
    if name not in ALGORITHMS:
        raise denied("NotFoundException", f"Alias arn:aws:kms:eu-west-1:111122223333:alias/{name} is not found.")
    private: Any = KEYS[name]
    if target == "TrentService.GetPublicKey":
        spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {
            "KeyId": f"arn:aws:kms:eu-west-1:111122223333:key/{name}",
            "KeyUsage": "SIGN_VERIFY",
            "PublicKey": base64.b64encode(spki).decode(),
            "SigningAlgorithms": ALGORITHMS[name],
        }
    if target != "TrentService.Sign" or (asked["MessageType"], asked["SigningAlgorithm"]) != (
        "DIGEST",
        "ECDSA_SHA_256",
    ):
        raise denied("ValidationException", "not a call that signing needs")
    if name == "off":
        raise denied("DisabledException", f"arn:aws:kms:eu-west-1:111122223333:key/{name} is disabled.")
    made = private.sign(base64.b64decode(asked["Message"]), ec.ECDSA(Prehashed(hashes.SHA256())))
    return {
        "KeyId": asked["KeyId"],
        "Signature": base64.b64encode(made).decode(),
        "SigningAlgorithm": "ECDSA_SHA_256",
    }


def transit(path: str, token: str | None, asked: dict[str, Any]) -> object:
    """Vault: `transit/keys/NAME` and `transit/sign/NAME`."""
    if token != TOKEN:
        raise FaultError(403, {"errors": ["permission denied"]})
    _, _, mount, call, name, *_ = path.split("/")
    if mount != "transit" or name not in KEYS:
        raise FaultError(404, {"errors": []})
    if name == "off":
        raise FaultError(503, {"errors": ["Vault is sealed"]})
    private = KEYS[name]
    if call == "keys" and isinstance(private, ed25519.Ed25519PrivateKey):
        public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
        return {"data": {"type": "ed25519", "keys": {"9": {"public_key": "AAAA"}, "10": {"public_key": public}}}}
    if call == "keys":
        pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return {"data": {"type": "ecdsa-p256", "keys": {"1": {"public_key": pem}}}}
    if asked["key_version"] != 10 or not isinstance(private, ed25519.Ed25519PrivateKey):
        raise FaultError(400, {"errors": ["no such version"]})
    made = base64.b64encode(private.sign(base64.b64decode(asked["input"]))).decode()
    return {"data": {"signature": f"vault:v10:{made}"}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            asked = json.loads(body or b"{}")
            target = self.headers.get("X-Amz-Target")
            told = (
                kms(target, self.headers.get("Authorization", ""), asked)
                if target
                else transit(self.path, self.headers.get("X-Vault-Token"), asked)
            )
            status = 200
        except FaultError as fault:
            status, told = fault.status, fault.body
        data = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def service():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def desk(service, tmp_path, monkeypatch):
    """A machine whose settings lead to the service, and to nothing else."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "HOME": tmp_path / "home",
        "NO_PROXY": "127.0.0.1",
        "AWS_ENDPOINT_URL": service,
        "AWS_ACCESS_KEY_ID": ACCESS,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": tmp_path / "none",
        "AWS_SHARED_CREDENTIALS_FILE": tmp_path / "none",
        "VAULT_ADDR": service,
        "VAULT_TOKEN": TOKEN,
        "SYNTHSPEC_CONFIG_DIR": tmp_path / "config",
        "SYNTHSPEC_STATE_DIR": tmp_path / "state",
    }.items():
        monkeypatch.setenv(name, str(value))
    return tmp_path


def said(answer) -> str:
    text: str = answer.out + answer.err
    assert not any(secret in text for secret in (SECRET, TOKEN, ACCESS)), "a secret was printed"
    return text


@pytest.fixture
def aws(desk, monkeypatch):
    boto3 = pytest.importorskip("boto3", reason="AWS KMS NOT TRIED: boto3 is not installed")
    # One process, many users: boto keeps what the first one was believed by.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return desk


@pytest.fixture
def vault(desk):
    pytest.importorskip("hvac", reason="VAULT NOT TRIED: hvac is not installed")
    return desk


def signed_by(cli, desk, spec, store, uri):
    """Pin the key `uri`, run `spec` under it, and verify where nothing else is believed; the algorithm it signed by."""
    shown = cli("keys", "show", uri, cwd=desk)
    assert shown.code == 0, said(shown)
    (desk / "team.pub").write_text(shown.out)
    key_id = shown.err.split()[2]
    assert cli("trust", "add", "team", desk / "team.pub", cwd=desk).code == 0
    ran = cli("run", spec, "--key", uri, "--store", store, "--out", desk / "run", "--quiet", cwd=spec.parent)
    assert ran.code == 0, said(ran)
    assert not (desk / "config" / "development.pem").exists()
    answer = cli("verify", desk / "run", cwd=desk)
    assert answer.code == 0, said(answer)
    assert f"signed by {key_id} (pinned as team)\n" in answer.out
    assert "no release seen before follows it" in answer.out, "the key was pinned"
    secrets = (SECRET, TOKEN, ACCESS)
    for path in (desk / "run").rglob("*"):
        assert path.is_dir() or not any(each.encode() in path.read_bytes() for each in secrets), path
    samples = desk / "run" / "samples.csv"
    samples.write_bytes(samples.read_bytes().replace(b"1", b"2", 1))
    assert cli("verify", desk / "run", cwd=desk).code == 1
    manifest = json.loads((desk / "run" / "manifest.json").read_bytes())
    assert manifest["key"]["kind"] == "user"
    return manifest["sign"]["alg"]


def test_a_key_of_aws_kms_signs_what_verifies(cli, aws, spec, store_copy):
    assert signed_by(cli, aws, spec, store_copy, "awskms:alias/team") == "ecdsa-p256-sha256"


def test_a_key_of_vault_signs_what_verifies(cli, vault, spec, store_copy):
    assert signed_by(cli, vault, spec, store_copy, "hv:edwards") == "ed25519"


NOBODY = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
AWAY = "http://127.0.0.1:9"
AWS_FAULTS = {
    "the key is disabled": ("awskms:alias/off", {}, "DisabledException", "enable it"),
    "another curve": ("awskms:alias/wide", {}, "UnsupportedAlgorithmError", "ECDSA P-256"),
    "no curve": ("awskms:alias/rsa", {}, "UnsupportedAlgorithmError", "ECDSA P-256"),
    "no such key": ("awskms:alias/none", {}, "NotFoundException", "look at the name"),
    "no name": ("awskms:", {}, "it names no key", "write awskms:KEY"),
    "no credentials": ("awskms:alias/team", NOBODY, "NoCredentialsError", "look at the credentials"),
    "other credentials": (
        "awskms:alias/team",
        {"AWS_ACCESS_KEY_ID": "AKIDOFSOMEBODYELSE00"},
        "UnrecognizedClientException",
        "look at the credentials",
    ),
    "a credential of two lines": (
        "awskms:alias/team",
        {"AWS_SESSION_TOKEN": f"{SECRET}\nx"},
        "was not asked",
        "such as a line end",
    ),
    "the service is away": (
        "awskms:alias/team",
        {"AWS_ENDPOINT_URL": AWAY},
        "EndpointConnectionError",
        "look at its address",
    ),
    "no region": ("awskms:alias/team", {"AWS_DEFAULT_REGION": None}, "NoRegionError", "set AWS_DEFAULT_REGION"),
}
VAULT_FAULTS = {
    "another type": ("hv:team", {}, "not of the type ed25519", "vault write transit/keys/NAME type=ed25519"),
    "sealed": ("hv:off", {}, "VaultDown", "look at its address"),
    "no such key": ("hv:none", {}, "InvalidPath", "look at the name"),
    "no token": ("hv:edwards", {"VAULT_TOKEN": None}, "Forbidden", "look at the credentials"),
    "a token of two lines": ("hv:edwards", {"VAULT_TOKEN": f"{TOKEN}\nx"}, "was not asked", "such as a line end"),
    "the service is away": ("hv:edwards", {"VAULT_ADDR": AWAY}, "ConnectionError", "look at its address"),
}


def refused(cli, desk, spec, monkeypatch, fault):
    uri, settings, what, to_do = fault
    for name, value in settings.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    answer = cli("run", spec, "--key", uri, "--store", desk / "store", "--out", desk / "run", cwd=spec.parent)
    assert answer.code == 2, said(answer)
    assert (answer.out, len(answer.err.strip().splitlines())) == ("", 1), "one line, whatever the libraries log"
    assert f"KEY_DEVICE: {uri}: " in answer.err
    assert what in said(answer)
    assert to_do in answer.err
    assert not any((desk / name).exists() for name in ("run", "store", "state", "config"))


@pytest.mark.parametrize("fault", AWS_FAULTS)
def test_what_aws_answers_instead_is_told_and_nothing_is_written(cli, aws, spec, monkeypatch, fault):
    refused(cli, aws, spec, monkeypatch, AWS_FAULTS[fault])


@pytest.mark.parametrize("fault", VAULT_FAULTS)
def test_what_vault_answers_instead_is_told_and_nothing_is_written(cli, vault, spec, monkeypatch, fault):
    refused(cli, vault, spec, monkeypatch, VAULT_FAULTS[fault])


def test_nothing_of_a_device_prints_a_secret(monkeypatch):
    from synthspec.sign.device_faults import fault_of

    for name in ("VAULT_TOKEN", "AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET", "SYNTHSPEC_KEY_PASSPHRASE"):
        monkeypatch.setenv(name, "not-for-anybody")
        told = fault_of(OSError("https://me:mine@host/x said not-for-anybody " + "y" * 500), "hv:k")
        assert "not-for-anybody" not in told
        assert "mine@" not in told
        assert len(told) < 300
        monkeypatch.delenv(name)
