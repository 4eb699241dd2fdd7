"""Keys and trust: who may sign, who is believed, and what lies on disk."""

import os
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from synthspec.sign.keys import config_dir, create_key, development_key, list_keys, load_key
from synthspec.sign.public_key import public_key, read_public
from synthspec.sign.refusal import Refused
from synthspec.sign.trust import Trust, TrustedKey, trust, trusted_keys
from synthspec.sign.trust_file import TrustEntry, TrustFile, write_trust_file
from synthspec.sign.verify import verify_bundle

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def code(answer):
    """The code of the one refusal that `answer` is."""
    (refusal,) = answer
    return refusal.code


def private_file(path, key, encryption=None, layout=PrivateFormat.PKCS8, mode=0o600):
    path.touch()
    path.chmod(mode)
    path.write_bytes(key.private_bytes(Encoding.PEM, layout, encryption or NoEncryption()))
    return path


def public_pem(key):
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def config(tmp_path):
    return tmp_path / "config"


def test_the_development_key_is_made_once_and_for_its_owner_only(config):
    first = development_key(config)
    assert first.kind == "development"
    assert development_key(config) == first
    path = config / "keys" / "development.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    assert "PRIVATE" not in repr(first)


def test_two_at_once_end_up_with_one_key(config):
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(development_key, [config] * 16))
    assert len({key.key_id for key in keys}) == 1
    assert [path.name for path in (config / "keys").iterdir()] == ["development.pem"]


def test_a_key_is_never_replaced(config):
    made = create_key(config, "team", "ed25519")
    assert made.kind == "user"
    assert code(create_key(config, "team")) == "KEY_EXISTS"
    assert load_key(Path(made.source)) == made
    assert code(create_key(config, "../team")) == "BAD_NAME"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_can_read_is_refused(config, mode):
    path = Path(create_key(config, "team").source)
    path.chmod(mode)
    assert code(load_key(path)) == "KEY_PERMISSIONS"


def test_a_key_of_another_user_is_refused(config, monkeypatch):
    path = Path(create_key(config, "team").source)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert code(load_key(path)) == "KEY_PERMISSIONS"


def test_listing_shows_good_keys_and_the_reason_of_bad_ones(config):
    assert list_keys(config) == ()
    development = development_key(config)
    bad = Path(create_key(config, "team").source)
    bad.write_text("nonsense")
    found = list_keys(config)
    assert found[0] == development
    assert code(found[1]) == "KEY_FORMAT"


def test_where_the_configuration_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert config_dir({}) == tmp_path / ".config" / "synthspec"
    assert config_dir({"XDG_CONFIG_HOME": "/x"}) == config_dir({"SYNTHSPEC_CONFIG_DIR": "/x/synthspec"})
    assert config_dir({"XDG_CONFIG_HOME": "not/absolute"}) == config_dir({})


def test_a_folder_that_cannot_be_written_is_an_answer(tmp_path):
    (tmp_path / "file").touch()
    assert code(development_key(tmp_path / "file")) == "IO"


@pytest.mark.parametrize("layout", [PrivateFormat.PKCS8, PrivateFormat.OpenSSH, PrivateFormat.TraditionalOpenSSL])
def test_layouts_of_a_private_key(tmp_path, layout):
    private = ec.generate_private_key(ec.SECP256R1())
    loaded = load_key(private_file(tmp_path / "k.pem", private, layout=layout))
    assert loaded.public == public_key(private.public_key())
    assert loaded.public.verifies(b"x", loaded.sign(b"x"))


def test_passphrases(tmp_path):
    private = ed25519.Ed25519PrivateKey.generate()
    locked = private_file(tmp_path / "a.pem", private, BestAvailableEncryption(b"sesame"))
    assert load_key(locked, b"sesame").public == public_key(private.public_key())
    assert code(load_key(locked, b"wrong")) == "KEY_PASSPHRASE"
    assert code(load_key(locked)) == "KEY_PASSPHRASE"
    assert code(load_key(private_file(tmp_path / "b.pem", private), b"needless")) == "KEY_PASSPHRASE"


UNSUPPORTED = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "dsa": lambda: dsa.generate_private_key(1024),
}


@pytest.mark.parametrize("kind", UNSUPPORTED)
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_m21_other_types_of_key_are_refused(tmp_path, config, kind):
    private = UNSUPPORTED[kind]()
    assert code(load_key(private_file(tmp_path / "k.pem", private))) == "KEY_TYPE"
    (tmp_path / "pub.pem").write_bytes(public_pem(private.public_key()))
    assert code(trusted_keys(config, [tmp_path / "pub.pem"])) == "KEY_TYPE"


def add(a, b):
    """The group law of edwards25519, in affine coordinates (RFC 8032 section 5.1.4)."""
    k = D * a[0] * b[0] * a[1] * b[1]
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + k, -1, P)
    return x % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, -1, P) % P


def small_order_encodings():
    """All points whose order divides 8, in every encoding that 255 bits of y and a sign bit allow."""
    root = pow(2, (P - 1) // 4, P)
    generator = next(point for y in range(2, 200) if (point := torsion(y, root)) and order(point) == 8)
    point, ys = (0, 1), set()
    for _ in range(8):
        ys.add(point[1])
        point = add(point, generator)
    assert len(ys) == 5
    every = ys | {y + P for y in ys if y + P < 2**255}
    return sorted((y | sign << 255).to_bytes(32, "little") for y in every for sign in (0, 1))


def torsion(y, root):
    """The part of small order of the point with this y: l times it, l the order of the base point."""
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    x = x if x * x % P == x2 else x * root % P
    if x * x % P != x2:
        return None
    scalar, point, result = 2**252 + 27742317777372353535851937790883648493, (x, y), (0, 1)
    while scalar:
        result = add(result, point) if scalar & 1 else result
        point, scalar = add(point, point), scalar >> 1
    return result


def order(point):
    count, at = 1, point
    while at != (0, 1):
        at, count = add(at, point), count + 1
    return count


def test_m20_every_weak_ed25519_key_is_refused():
    weak = small_order_encodings()
    assert len(weak) == 14
    for raw in weak:
        with pytest.raises(Refused) as caught:
            public_key(ed25519.Ed25519PublicKey.from_public_bytes(raw))
        assert caught.value.refusals[0].code == "WEAK_KEY"


def test_m20_such_a_key_would_accept_anything():
    identity = b"\x01" + bytes(31)
    ed25519.Ed25519PublicKey.from_public_bytes(identity).verify(identity + bytes(32), b"whatever you like")


def test_m17_one_key_counts_once(keys):
    assert code(trust((keys[0].public, keys[0].public), threshold=2)) == "TRUST_POLICY"


def test_m17_one_signature_is_not_two(signed, keys):
    both = trust((keys[0].public, keys[1].public), threshold=2)
    assert code(verify_bundle(signed.bundle, both)) == "TRUST_POLICY"


def test_m18_m19_a_policy_that_asks_for_nobody_is_none(signed, keys):
    assert code(trust((keys[0].public,), threshold=0)) == "TRUST_POLICY"
    assert code(trust(())) == "TRUST_POLICY"
    assert code(verify_bundle(signed.bundle, Trust((), 0))) == "TRUST_POLICY"
    assert code(verify_bundle(signed.bundle, Trust((TrustedKey(keys[0].public),), 0))) == "TRUST_POLICY"


def test_m22_the_key_decides_the_algorithm(signed, keys):
    assert code(verify_bundle(signed.bundle, trust((keys[2].public,)))) == "SIGNATURE"


def test_m79_an_ed25519_signature_has_one_form(keys):
    key = keys[2]
    signature = key.sign(b"x")
    s = int.from_bytes(signature[32:], "little") + 2**252 + 27742317777372353535851937790883648493
    assert key.public.verifies(b"x", signature)
    assert not key.public.verifies(b"x", signature[:32] + s.to_bytes(32, "little"))


def test_who_is_trusted(config, keys, tmp_path):
    assert code(trusted_keys(config)) == "TRUST_POLICY"
    development = development_key(config)
    assert trusted_keys(config).keys == (development.public,)
    write_trust_file(config, TrustFile(keys={"friend": TrustEntry(pem=keys[0].public.pem, streams=("digits",))}))
    (tmp_path / "given.pem").write_text(keys[2].public.pem)
    (tmp_path / "again.pem").write_text(keys[0].public.pem)
    trusted = trusted_keys(config, [tmp_path / "given.pem", tmp_path / "again.pem"])
    assert trusted.keys == (keys[0].public, development.public, keys[2].public)
    assert [entry.streams for entry in trusted.entries] == [("digits",), (), ()]


def test_no_key_of_the_user_is_trusted_by_itself(config):
    create_key(config, "team")
    assert code(trusted_keys(config)) == "TRUST_POLICY"


def test_one_bad_key_refuses_the_whole_policy(config, keys, tmp_path):
    development_key(config)
    (tmp_path / "b.pem").write_text("nonsense")
    open_to_all = tmp_path / "c.pem"
    open_to_all.write_text(keys[1].public.pem)
    open_to_all.chmod(0o666)
    found = trusted_keys(config, [tmp_path / "b.pem", open_to_all, tmp_path / "nothing.pem"])
    assert [refusal.code for refusal in found] == ["KEY_FORMAT", "KEY_PERMISSIONS", "IO"]


def test_a_public_key_may_come_as_an_openssh_line(keys):
    line = keys[2].public._key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    assert read_public(line) == keys[2].public


def test_the_key_id_is_what_sigstore_hints(keys, tmp_path):
    (tmp_path / "pub.pem").write_text(keys[0].public.pem)
    script = "openssl pkey -pubin -in pub.pem -outform DER | openssl dgst -sha256 -binary | openssl base64"
    done = subprocess.run(["sh", "-c", script], check=False, cwd=tmp_path, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("needs the openssl program")
    assert keys[0].key_id == done.stdout.strip()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_key_that_cannot_be_read_is_an_answer(config):
    path = Path(create_key(config, "team").source)
    path.chmod(0)
    assert code(load_key(path)) == "IO"
