"""No bit of a bundle can be turned, and no mutation of its bytes or its content gets through or brings us down."""

import base64
import copy
import json
import random

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.contracts import CONTRACTS
from synthspec.sign import VerifiedStatement, consistency, verify_bundle
from synthspec.sign.bundle import bundle_bytes, read_bundle_bytes
from synthspec.sign.pae import pae
from synthspec.sign.signing import PAYLOAD_TYPE, sign
from synthspec.sign.statement import Subject
from synthspec.sign.trust import trust


def flips(data):
    """`data` with each of its bits turned, one at a time."""
    for index in range(len(data)):
        for bit in range(8):
            yield data[:index] + bytes([data[index] ^ (1 << bit)]) + data[index + 1 :]


def refused(bundle, trusted):
    answer = verify_bundle(bundle, trusted)
    return not isinstance(answer, VerifiedStatement) and "INTERNAL" not in {refusal.code for refusal in answer}


@pytest.mark.parametrize("index", [0, 2], ids=["p256", "ed25519"])
def test_m02_m03_every_bit_of_payload_and_signature_counts(keys, index):
    key = keys[index]
    trusted = trust((key.public,))
    payload = b'{"a":1}'
    signature = key.sign(pae(PAYLOAD_TYPE, payload))
    # With the right signature the payload is read, and is no statement; with any other it is not even read.
    assert codes(bundle_bytes(payload, signature, key.key_id), trusted) == ["STATEMENT_TYPE"]
    for other in flips(payload):
        assert codes(bundle_bytes(other, signature, key.key_id), trusted) == ["SIGNATURE"]
    for other in flips(signature):
        assert codes(bundle_bytes(payload, other, key.key_id), trusted) == ["SIGNATURE"]


def codes(bundle, trusted):
    return [refusal.code for refusal in verify_bundle(bundle, trusted)]


def test_every_bit_of_the_bundle_around_the_payload_counts(signed):
    text = base64.b64encode(signed.payload())
    head, tail = signed.bundle.split(text)
    trusted = signed.trusted
    assert all(refused(other + text + tail, trusted) for other in flips(head))
    assert all(refused(head + text + other, trusted) for other in flips(tail))


def test_bits_of_the_payload_as_it_stands_in_the_bundle_count(signed):
    text = base64.b64encode(signed.payload())
    head, tail = signed.bundle.split(text)
    sampled = (other for index, other in enumerate(flips(text)) if index % 101 == 0)
    assert all(refused(head + other + tail, signed.trusted) for other in sampled)


@pytest.mark.slow
def test_every_bit_of_a_whole_payload_and_its_bundle_counts(signed, keys, manifest_of):
    """All that the quick tests sample: of a statement as short as they come, which verifies, every bit is turned."""
    manifest = manifest_of(
        unspoken=[each.id for each in CONTRACTS], without=[figure.name for figure in signed.manifest.metrics]
    )
    bundle = sign(manifest, (Subject("evidence.json", "0" * 64, 1),), keys[0])
    trusted = signed.trusted
    assert isinstance(verify_bundle(bundle, trusted), VerifiedStatement)
    assert not [index for index, other in enumerate(flips(bundle)) if not refused(other, trusted)]
    held = read_bundle_bytes(bundle)
    for other in flips(held.payload):
        assert not keys[0].public.verifies(pae(PAYLOAD_TYPE, other), held.signature)


def mutated(data, chance):
    """`data` after one to three cuts, insertions, repetitions, moves or changed bytes at random places."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        start = chance.randrange(len(data))
        stop = min(len(data), start + chance.choice((1, 1, 2, 8, 200)))
        other = chance.randrange(len(data))
        piece = chance.choice(
            (
                b"",
                bytes([chance.randrange(256)]),
                chance.randbytes(stop - start),
                data[start:stop] * 2,
                data[other : other + stop - start],
                chance.choice((b" ", b"\n", b"\t ")) + data[start:stop],
                chance.choice((b'"', b"\\u0041", b"null", b"[", b"}", b",", b"\xef\xbb\xbf", b"\x00", b"1e999", b"=")),
            )
        )
        data = data[:start] + piece + data[stop:]
    return data


@pytest.mark.slow
def test_of_20000_mutations_nothing_gets_through_but_space_between_tokens(signed):
    chance, trusted, spaced = random.Random(20261122), signed.trusted, 0
    text = base64.b64encode(signed.payload())
    # Half of them in the envelope, of which there is less than of the payload that it holds.
    cut = signed.bundle.index(text)
    for number in range(20_000):
        if number % 2:
            other = mutated(signed.bundle, chance)
        else:
            before, after = signed.bundle[:cut], signed.bundle[cut + len(text) :]
            whole = mutated(before + b"@" + after, chance)
            other = whole.replace(b"@", text)
        answer = verify_bundle(other, trusted)
        if not isinstance(answer, VerifiedStatement):
            assert "INTERNAL" not in {refusal.code for refusal in answer}, other
        elif other != signed.bundle:
            assert b"".join(other.split()) == b"".join(signed.bundle.split()), other
            assert text in other
            spaced += 1
    assert spaced > 50, "the mutations have to reach the freedom that there is"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_cut_and_pasted_bundles_are_refused(signed, data):
    whole = signed.bundle
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, min(len(whole), start + 64)))
    other = whole[:start] + data.draw(st.binary(max_size=16)) + whole[stop:]
    answer = verify_bundle(other, signed.trusted)
    if isinstance(answer, VerifiedStatement):
        # Space between tokens is the only freedom an envelope has.
        assert json.loads(other) == json.loads(whole)
    else:
        assert "INTERNAL" not in {refusal.code for refusal in answer}


@given(st.binary(max_size=200))
def test_noise_is_refused(signed, data):
    assert refused(data, signed.trusted)


def paths(value, path=()):
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from paths(value[key], (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths(item, (*path, index))


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: abs(x) < 2**53),
    st.sampled_from(["", "inf", "-inf", "nan", "1e+17", "held", "block", "C40-511", "\u202e", "x" * 500]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.just([]),
    st.just({}),
)


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_any_edit_of_a_truly_signed_statement_is_answered_without_an_accident(signed, data):
    statement = json.loads(signed.payload())
    path = data.draw(st.sampled_from(list(paths(statement))[1:]))
    parent = statement
    for step in path[:-1]:
        parent = parent[step]
    if data.draw(st.booleans()):
        del parent[path[-1]]
    else:
        parent[path[-1]] = data.draw(ODD)
    answer = verify_bundle(signed.signed(rfc8785.dumps(copy.deepcopy(statement))), signed.trusted)
    if isinstance(answer, VerifiedStatement):
        assert rfc8785.dumps(answer.manifest.canonical()) == rfc8785.dumps(statement["predicate"])
        answer = consistency(answer.manifest)
    assert "INTERNAL" not in {refusal.code for refusal in answer}
