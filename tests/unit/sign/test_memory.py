"""The order of releases (M69, M70, M87, M88): what was seen, and the number that the next one gets."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.ir.manifest_base import Digest
from synthspec.ir.manifest_origin import Release
from synthspec.sign.memory import Numbered, numbering, order, state_dir
from synthspec.sign.refusal import Refused


def sha(text):
    return f"{text:0>64}"


def release(sequence, previous=None, stream="digits"):
    before = None if previous is None else Digest(sha256=sha(previous))
    return Release(stream=stream, sequence=sequence, previous=before, created_at="2026-01-31T12:00:00Z")


def codes(refusals):
    return [each.code for each in refusals]


def test_m69_an_older_release_than_was_seen_is_a_rollback(tmp_path):
    assert order(release(9, 8), sha(9), tmp_path) == ()
    assert codes(order(release(7, 6), sha(7), tmp_path)) == ["ROLLBACK"]
    # What was refused is not remembered: the newest one seen is still the ninth.
    assert order(release(9, 8), sha(9), tmp_path) == ()


def test_m70_two_releases_of_one_number_are_a_fork(tmp_path):
    assert order(release(3, 2), sha(3), tmp_path) == ()
    assert codes(order(release(3, 2), sha(4), tmp_path)) == ["FORK"]


def test_m87_the_newer_first_then_the_older(tmp_path):
    assert order(release(1), sha(1), tmp_path) == ()
    assert order(release(2, 1), sha(2), tmp_path) == ()
    assert codes(order(release(1), sha(1), tmp_path)) == ["ROLLBACK"]


@pytest.mark.parametrize("previous", [None, 99])
def test_m88_the_next_release_follows_the_last_one(tmp_path, previous):
    assert order(release(1), sha(1), tmp_path) == ()
    assert codes(order(release(2, previous), sha(2), tmp_path)) == ["CHAIN_BROKEN"]


def test_a_gap_is_no_break(tmp_path):
    """Releases that were never shown here leave nothing to compare with."""
    assert order(release(1), sha(1), tmp_path) == ()
    assert order(release(5, 4), sha(5), tmp_path) == ()


def test_streams_do_not_mix(tmp_path):
    assert order(release(9, 8), sha(9), tmp_path) == ()
    assert order(release(1, stream="other"), sha(1), tmp_path) == ()


def test_a_memory_that_cannot_be_read_refuses(tmp_path):
    (tmp_path / "seen.json").write_text("{")
    assert codes(order(release(1), sha(1), tmp_path)) == ["TRUST_POLICY"]
    (tmp_path / "file").touch()
    assert codes(order(release(1), sha(1), tmp_path / "file" / "below")) == ["IO"]


@settings(deadline=None)  # it writes files
@given(st.lists(st.integers(0, 2), min_size=1, max_size=8))
def test_what_is_numbered_is_in_order(tmp_path_factory, traces):
    """Whatever is signed in turn verifies in turn; a run that is signed again keeps its place."""
    state = tmp_path_factory.mktemp("state")
    last = None
    for trace in traces:
        with numbering(state, "key") as numbers:
            place = numbers.following("digits", str(trace))
            made = release(place.sequence, None)
            made = made.model_copy(
                update={"previous": None if place.previous is None else Digest(sha256=place.previous)}
            )
            digest = sha(place.sequence)
            numbers.remember(made, str(trace), digest)
        assert order(made, digest, state) == ()
        expected = 1 if last is None else last[0] + (trace != last[1])
        assert place.sequence == expected
        last = (expected, trace)


def test_each_key_counts_for_itself(tmp_path):
    with numbering(tmp_path, "a") as numbers:
        numbers.remember(release(4, 3), "t", sha(4))
    with numbering(tmp_path, "a") as numbers:
        assert numbers.following("digits", "u") == Numbered(5, sha(4))
    with numbering(tmp_path, "b") as numbers:
        assert numbers.following("digits", "u") == Numbered(1, None)


def test_what_fails_is_not_numbered(tmp_path):
    def fail():
        with numbering(tmp_path, "a") as numbers:
            numbers.remember(release(1), "t", sha(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not (tmp_path / "signed.json").exists()


def test_a_folder_that_is_none_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Refused) as refused, numbering(tmp_path / "file", "a"):
        pass
    assert "SYNTHSPEC_STATE_DIR" in refused.value.refusals[0].message


def test_where_the_memory_lies():
    assert str(state_dir({"SYNTHSPEC_STATE_DIR": "/x"})) == "/x"
    assert str(state_dir({"XDG_STATE_HOME": "/x"})) == "/x/synthspec"
    assert state_dir({"XDG_STATE_HOME": "x"}) == state_dir({})


def test_the_file_is_plain_json(tmp_path):
    order(release(2, 1), sha(2), tmp_path)
    assert json.loads((tmp_path / "seen.json").read_text())["streams"]["digits"]["sequence"] == 2
