"""Whom a verifier believes about what: streams, validity, revocation, thresholds (M17, M89) and the file they stand in."""

import tomllib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.sign import VerifiedStatement, verify_bundle
from synthspec.sign.refusal import Refused
from synthspec.sign.signing import approval
from synthspec.sign.trust import Trust, TrustedKey, trust
from synthspec.sign.trust_file import Timestamps, TrustEntry, TrustFile, read_trust_file, write_trust_file

MADE = datetime(2026, 1, 31, 12, tzinfo=UTC)
"""When the manifest of the fixture says that it was made; its stream is `digits`."""
DAY = timedelta(days=1)


def answer(signed, *entries, threshold=1, thresholds=(), approvals=b""):
    found = verify_bundle(signed.bundle, Trust(entries, threshold, thresholds), approvals)
    return "OK" if isinstance(found, VerifiedStatement) else found[0].code


def approved(signed, *signers):
    statement = verify_bundle(signed.bundle, signed.trusted)
    return b"".join(approval(statement, signer) for signer in signers)


@pytest.mark.parametrize(
    ("streams", "expected"),
    [((), "OK"), (("digits",), "OK"), (("di*",), "OK"), (("other", "digits"), "OK"), (("digit",), "TRUST_POLICY")],
)
def test_a_key_speaks_for_its_streams(signed, streams, expected):
    assert answer(signed, TrustedKey(signed.key.public, streams=streams)) == expected


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"not_before": MADE, "not_after": MADE}, "OK"),
        ({"not_before": MADE + DAY}, "KEY_NOT_VALID"),
        ({"not_after": MADE - DAY}, "KEY_NOT_VALID"),
        ({"revoked": MADE + DAY}, "KEY_REVOKED"),
        ({"revoked": MADE - DAY, "not_before": MADE + DAY}, "KEY_REVOKED"),
    ],
)
def test_m89_a_key_is_believed_in_its_time_and_never_once_revoked(signed, window, expected):
    assert answer(signed, TrustedKey(signed.key.public, **window)) == expected


def test_two_of_two_need_the_approval_of_the_other(signed, keys):
    both = (TrustedKey(keys[0].public), TrustedKey(keys[2].public))
    needs_two = (("dig*", 2),)
    assert answer(signed, *both, thresholds=needs_two) == "TRUST_POLICY"
    assert answer(signed, *both, thresholds=(("other", 2),)) == "OK"
    assert answer(signed, *both, thresholds=needs_two, approvals=approved(signed, keys[2])) == "OK"


def test_m17_the_same_key_approves_in_vain(signed, keys):
    both = (TrustedKey(keys[0].public), TrustedKey(keys[2].public))
    twice = approved(signed, keys[0], keys[0])
    assert answer(signed, *both, thresholds=(("digits", 2),), approvals=twice) == "TRUST_POLICY"


def test_every_approval_must_hold_and_be_of_this_manifest(signed, keys):
    entries = (TrustedKey(keys[0].public), TrustedKey(keys[2].public))
    of_a_stranger = approved(signed, keys[1])
    assert answer(signed, *entries, approvals=of_a_stranger) == "SIGNATURE"
    of_another = signed.restated(lambda statement: statement["predicate"]["release"].update(sequence=8))
    assert answer(signed, *entries, approvals=of_another + b"\n") == "SIGNATURE"
    assert answer(signed, *entries, approvals=b"{}\n") == "SCHEMA"
    good = approved(signed, keys[2])
    for line in (of_a_stranger, of_another + b"\n", b"{}\n"):
        (refusal,) = verify_bundle(signed.bundle, Trust(entries), good + line)
        assert refusal.where.startswith("line 2 of the approvals"), "whose fault it is not is not accused"


def test_who_stands_behind_a_manifest_is_told(signed, keys):
    entries = (TrustedKey(keys[0].public, name="a"), TrustedKey(keys[1].public, name="b"), TrustedKey(keys[2].public))
    found = verify_bundle(signed.bundle, Trust(entries), approved(signed, keys[1]))
    assert [entry.name for entry in found.behind] == ["a", "b"]


def test_a_revoked_approver_is_no_approver(signed, keys):
    entries = (TrustedKey(keys[0].public), TrustedKey(keys[1].public, revoked=MADE))
    assert answer(signed, *entries, approvals=approved(signed, keys[1])) == "KEY_REVOKED"


def test_what_a_list_of_keys_means(keys):
    assert trust((keys[0].public, keys[1].public)).needed("anything") == 1


instants = st.datetimes(
    datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)  # noqa: DTZ001 - the zone is given beside
)  # fmt: skip
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,8}", fullmatch=True)
globs = st.from_regex(r"[A-Za-z0-9_.*?-]{1,8}", fullmatch=True)
entries = st.builds(
    TrustEntry,
    pem=st.from_regex(r"[\x20-\x7e\n]{0,60}", fullmatch=True),
    streams=st.lists(globs, max_size=3).map(tuple),
    not_before=st.none() | instants,
    not_after=st.none() | instants,
    revoked=st.none() | instants,
)
files = st.builds(
    TrustFile,
    keys=st.dictionaries(names, entries, max_size=3),
    thresholds=st.dictionaries(globs, st.integers(1, 16), max_size=2),
    timestamps=st.builds(Timestamps, roots=st.from_regex(r"[\x20-\x7e\n]{0,60}", fullmatch=True)),
)


@settings(deadline=None)  # it writes files
@given(held=files)
def test_the_file_says_again_what_was_written(tmp_path_factory, held):
    config = tmp_path_factory.mktemp("config")
    write_trust_file(config, held)
    assert read_trust_file(config) == held
    assert (config / "trust.toml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[keys.a]\n", "TRUST_POLICY"),
        ("[keys.a]\npem = 'x'\nonly_on_sundays = true\n", "TRUST_POLICY"),
        ("[thresholds]\ndigits = 0\n", "TRUST_POLICY"),
        ("[thresholds]\ndigits = true\n", "TRUST_POLICY"),
        ("[keys.a]\npem = 'x'\nrevoked = 2026-01-01T00:00:00\n", "TRUST_POLICY"),
        ("[timestamps]\nroots = 'x'\nurl = 'y'\n", "TRUST_POLICY"),
        ("nonsense", "TRUST_POLICY"),
        ("\udcff", "TRUST_POLICY"),
    ],
)
def test_a_file_that_is_not_understood_in_full_is_refused(tmp_path, text, code):
    path = tmp_path / "trust.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    path.chmod(0o600)
    with pytest.raises(Refused) as refused:
        read_trust_file(tmp_path)
    assert [each.code for each in refused.value.refusals] == [code]


def test_a_file_that_others_can_change_is_refused(tmp_path):
    write_trust_file(tmp_path, TrustFile())
    (tmp_path / "trust.toml").chmod(0o620)
    with pytest.raises(Refused) as refused:
        read_trust_file(tmp_path)
    assert refused.value.refusals[0].code == "KEY_PERMISSIONS"


def test_the_file_is_plain_toml(tmp_path, keys):
    write_trust_file(tmp_path, TrustFile(keys={"a.b": TrustEntry(pem=keys[0].public.pem, streams=("x*",))}))
    read = tomllib.loads((tmp_path / "trust.toml").read_text())
    assert read == {"keys": {"a.b": {"pem": keys[0].public.pem, "streams": ["x*"]}}}
