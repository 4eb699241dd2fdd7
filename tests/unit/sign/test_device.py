"""Keys in devices: a real PKCS#11 token where SoftHSM is there, and a device of ours for everything that goes wrong."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from synthspec.sign import SigningKey, Subject, sign
from synthspec.sign.device import device_key, is_device
from synthspec.sign.refusal import Refused
from synthspec.sign.signing import key_ref, sign_profile
from synthspec.sign.trust import Trust, TrustedKey
from synthspec.sign.verify import VerifiedStatement, verify_bundle

DRIVERS = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)


@pytest.mark.parametrize(
    ("named", "device"),
    [("hsm:2?label=team", True), ("hsm:", True), ("awskms:alias/x", True), ("hv:team", True), ("gcpkms:projects/p", True),
     ("azurekms://v.vault.azure.net/keys/k", True), ("team", False), ("keys/team.pem", False), ("file:team.pem", False),
     ("hsm", False)],
)  # fmt: skip
def test_a_device_is_told_from_a_file(named, device):
    assert is_device(named) is device


class Device:
    """What securesystemslib has for one kind of device, around a key of ours."""

    def __init__(self, private, breaks_after=None):
        self.private, self.left, self.asked = private, breaks_after, 0
        self.HSMSigner = self.VaultSigner = self.AzureSigner = SimpleNamespace(import_=self.import_)
        self.Signer = SimpleNamespace(from_priv_key_uri=self.open)

    def import_(self, *_):
        public = self.private.public_key()
        if isinstance(public, ed25519.Ed25519PublicKey):
            return "hv:k/1", SimpleNamespace(keytype="ed25519", keyval={"public": public.public_bytes_raw().hex()})
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return "hsm:2", SimpleNamespace(keytype="ecdsa", keyval={"public": pem})

    def open(self, uri, public, pin):
        self.pin = pin
        return self

    def sign(self, payload):
        self.pin("pin")
        self.asked += 1
        if self.left is not None and self.asked > self.left:
            raise OSError("unplugged")
        made = (
            self.private.sign(payload)
            if isinstance(self.private, ed25519.Ed25519PrivateKey)
            else self.private.sign(payload, ec.ECDSA(hashes.SHA256()))
        )
        return SimpleNamespace(signature=made.hex())


@pytest.fixture
def plugged(monkeypatch):
    def plug(private, **how):
        device = Device(private, **how)
        monkeypatch.setattr("synthspec.sign.device._library", lambda: device)
        return device

    return plug


@pytest.mark.parametrize(
    ("uri", "private"),
    [("hsm:2", ec.generate_private_key(ec.SECP256R1())), ("hv:k", ed25519.Ed25519PrivateKey.generate())],
    ids=["p256", "ed25519"],
)
def test_a_key_in_a_device_signs_what_verifies_and_the_pin_is_asked_for_once(plugged, uri, private):
    device, pins = plugged(private), []
    key = device_key(uri, lambda what: pins.append(what) or "1234")
    assert isinstance(key, SigningKey)
    assert key.public.verifies(b"message", key.sign(b"message"))
    assert (pins, device.asked, key.source, key.kind) == (["pin"], 2, uri, "user")


def test_a_curve_that_manifests_do_not_use_is_refused(plugged):
    plugged(ec.generate_private_key(ec.SECP384R1()))
    (refusal,) = device_key("hsm:2", lambda _: "1234")
    assert refusal.code == "KEY_TYPE"


def test_a_device_that_signs_with_another_key_is_refused(plugged):
    device = plugged(ec.generate_private_key(ec.SECP256R1()))
    said = device.import_()
    device.import_ = device.HSMSigner.import_ = lambda *_: said
    device.private = ec.generate_private_key(ec.SECP256R1())
    (refusal,) = device_key("hsm:2", lambda _: "1234")
    assert (refusal.code, "does not verify" in refusal.message) == ("KEY_DEVICE", True)


def test_a_device_that_goes_away_is_a_refusal_at_that_signature(plugged):
    plugged(ec.generate_private_key(ec.SECP256R1()), breaks_after=1)
    key = device_key("hsm:2", lambda _: "1234")
    with pytest.raises(Refused) as raised:
        key.sign(b"message")
    assert (raised.value.refusals[0].code, raised.value.refusals[0].where) == ("KEY_DEVICE", "hsm:2")
    assert "unplugged" in raised.value.refusals[0].message


def test_a_prompt_that_fails_is_not_the_fault_of_the_device(plugged):
    plugged(ec.generate_private_key(ec.SECP256R1()))

    def ask(_):
        raise EOFError("no terminal")

    with pytest.raises(EOFError, match="no terminal"):
        device_key("hsm:2", ask)


@pytest.mark.parametrize(
    ("uri", "words"),
    [("hsm:slot-two", "write hsm:ID"), ("azurekms:vault", "write azurekms://"),
     ("azurekms://v.vault.azure.net/secrets/k", "write azurekms://")],
)  # fmt: skip
def test_a_uri_that_names_no_key_says_how_it_is_written(plugged, uri, words):
    plugged(ec.generate_private_key(ec.SECP256R1()))
    (refusal,) = device_key(uri, lambda _: "1234")
    assert (refusal.code, words in refusal.message, refusal.where) == ("KEY_DEVICE", True, uri)


def test_what_is_not_installed_is_named(monkeypatch):
    def missing():
        raise ImportError("No module named 'securesystemslib'")

    monkeypatch.setattr("synthspec.sign.device._library", missing)
    for uri, extra in (("hsm:2", "synthspec[hsm]"), ("hv:team", "synthspec[kms]")):
        (refusal,) = device_key(uri, lambda _: "1234")
        assert (refusal.code, extra in refusal.message) == ("KEY_DEVICE", True)


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    """The private key in a software token that the PKCS#11 driver of SoftHSM serves; PIN 1234."""
    pytest.importorskip("pkcs11", reason="TOKENS NOT TRIED: the extra `hsm` is not installed")
    driver = next((path for path in DRIVERS if Path(path).exists()), None)
    tool = shutil.which("softhsm2-util")
    if driver is None or tool is None:
        pytest.skip("TOKENS NOT TRIED: there is no SoftHSM to make one with")
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "conf"))
        patch.setenv("PYKCS11LIB", driver)
        private = ec.generate_private_key(ec.SECP256R1())
        pem = folder / "key.pem"
        pem.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        pins = ("--pin", "1234")
        for words in (
            ("--init-token", "--free", "--label", "team", "--so-pin", "5678", *pins),
            ("--import", str(pem), "--token", "team", "--label", "k", "--id", "02", *pins),
        ):
            subprocess.run([tool, *words], check=True, capture_output=True, env=dict(os.environ))
        yield private


def test_a_token_signs_a_manifest_and_not_without_its_pin(token, signed):
    key = device_key("hsm:2?label=team", lambda _: "1234")
    assert isinstance(key, SigningKey)
    spki = token.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert key.public.spki == spki
    manifest = signed.manifest.model_copy(update={"key": key_ref(key), "sign": sign_profile(key)})
    said = json.loads(signed.payload())["subject"]
    files = [Subject(each["name"], each["digest"]["sha256"], each["annotations"]["size"]) for each in said]
    bundle = sign(manifest, files, key)
    assert isinstance(verify_bundle(bundle, Trust((TrustedKey(key.public),))), VerifiedStatement)
    for uri, pin, words in (
        ("hsm:2?label=team", "9999", "PinIncorrect"),
        ("hsm:3?label=team", "1234", "could not find"),
    ):
        (refusal,) = device_key(uri, lambda _, pin=pin: pin)
        assert (refusal.code, words in refusal.message) == ("KEY_DEVICE", True)
        assert pin not in refusal.message
