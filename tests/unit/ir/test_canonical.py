"""One meaning, one sequence of bytes."""

import json
from dataclasses import dataclass, field

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from synthspec.ir.canonical import canonical_bytes, digest, to_json
from synthspec.spec.evaluation import C40514, Contracts
from synthspec.units import parse_quantity

TEXT = st.text(st.characters(codec="utf-8"))
LEAF = st.none() | st.booleans() | TEXT | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e9, 1e9)
JSON = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)


@dataclass(frozen=True)
class Noun:
    """A noun with something that does not belong to its identity."""

    a: int
    place: str = field(default="", compare=False)


@given(JSON)
def test_plain_json_is_rfc_8785(value: object) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


def test_keys_stand_in_the_order_of_utf_16() -> None:
    keys = ["\U0001f600", "\ufb33", "€", "z", "\x80", "\r", "1", ""]
    written = canonical_bytes(dict.fromkeys(keys))
    assert list(json.loads(written)) == ["", "\r", "1", "z", "\x80", "€", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, {"a": ["x\ud83d"]}])
def test_half_a_surrogate_pair_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"UTF-8|utf-?16|codec"):
        canonical_bytes(value)


@given(JSON)
def test_what_is_written_reads_back_and_is_written_the_same(value: object) -> None:
    data = canonical_bytes(value)
    assert canonical_bytes(json.loads(data)) == data


@given(st.integers(2**53, 2**80) | st.integers(-(2**80), -(2**53)))
def test_integers_that_json_would_round_are_strings(number: int) -> None:
    assert to_json(number) == str(number)


@pytest.mark.parametrize("number", [2.0**53, 1e20, -1e300])
def test_integral_floats_that_cannot_be_written_again_are_strings(number: float) -> None:
    written = to_json(number)
    assert isinstance(written, str)
    assert float(written) == number


def test_what_is_excluded_from_equality_is_excluded_from_the_bytes() -> None:
    assert canonical_bytes(Noun(1, "here")) == canonical_bytes(Noun(1, "there")) == b'{"a":1}'


@pytest.mark.parametrize(("one", "other"), [("2000 ms", "2 s"), ("0.5 h", "1800 s"), ("1500 uW", "1.5 mW")])
def test_a_quantity_is_its_value_and_not_its_spelling(one: str, other: str) -> None:
    assert canonical_bytes(parse_quantity(one)) == canonical_bytes(parse_quantity(other))
    assert canonical_bytes(parse_quantity(one)) != canonical_bytes(parse_quantity("3 s"))


def test_models_are_written_under_the_keys_of_the_language_without_what_is_absent() -> None:
    contracts = Contracts.model_validate({"C40-514": {"NFE_max": 4.0}})
    assert isinstance(contracts.c40_514, C40514)
    assert to_json(contracts) == {"C40-514": {"NFE_max": 4.0, "severity": "block", "tol_source": "stated"}}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not representable"):
        canonical_bytes({"x": value})


@pytest.mark.parametrize("value", [{1, 2}, b"x", object()])
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_bytes(value)


def test_two_domains_never_share_a_digest() -> None:
    assert digest("a", 1) != digest("b", 1)
    assert digest("a", 1) == digest("a", 1)
