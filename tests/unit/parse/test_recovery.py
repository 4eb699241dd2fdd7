"""What is left of a damaged document: slips are read as they were meant, what cannot be guessed is named as lost."""

import time
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from synthspec.ir.document import ANY_KEY
from synthspec.parse import compose, read_model
from synthspec.parse.recovery import recover
from synthspec.spec.base import Count, Duration, Model, Name, SemVer, Share
from synthspec.text import Source


class Inner(Model):
    kind: Literal["left", "right"]
    width: Count
    share: Share = 0.5
    wait: Duration | None = None
    ends: tuple[float, float] | None = None


class One(Model):
    method: Literal["first"]
    name: Name = "x"


class Two(Model):
    method: Literal["second"]
    steps: Count


class Whole(Model):
    title: Name
    version: SemVer = "1.0.0"
    inner: Inner | None = None
    way: Annotated[One | Two, Field(discriminator="method")] | None = None
    words: tuple[Literal["alpha", "beta"], ...] = ()
    table: dict[str, Share] = {}  # noqa: RUF012 - pydantic copies defaults


SOUND = """title: t
inner: {kind: left, width: 2, share: 0.5, wait: 3 s, ends: [0, 1]}
way: {method: second, steps: 4}
words: [alpha]
table: {a: 0.5}
"""


def recovered(text):
    return recover(compose(Source("doc", text)).value, Whole)


def changed(old, new):
    assert SOUND.count(old) == 1
    return recovered(SOUND.replace(old, new))


def test_a_sound_document_is_read_whole():
    read = read_model(compose(Source("doc", SOUND)).value, Whole)
    assert read.ok
    assert read.value.lost == frozenset()
    assert read.value.model == recovered(SOUND).model


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("width: 2", "widht: 2"),
        ("share: 0.5", 'share: "0.5"'),
        ("share: 0.5", "share: 0.5 m"),
        ("width: 2", 'width: "2"'),
        ("kind: left", "kind: lefft"),
        ("wait: 3 s", "wait: 3"),
        ("wait: 3 s", "wait: 3000 ms"),
        ("wait: 3 s", 'wait: "3 s"'),
        ("method: second", "method: secnd"),
        ("method: second", "metod: second"),
        ("words: [alpha]", "words: [alphaa]"),
        ("title: t", "titel: t"),
        ("title: t", "titlle: t"),
        ("words: [alpha]", "wodrs: [alpha]"),
        ("words: [alpha]", "words: [alpha]\nnonsense: {a: 1}"),
    ],
)
def test_a_slip_is_read_as_it_was_meant(old, new):
    found = changed(old, new)
    assert found.lost == frozenset()
    meant = recovered(SOUND).model
    assert found.model.model_copy(update={"inner": None}) == meant.model_copy(update={"inner": None})
    inner = found.model.inner.model_copy(update={"wait": None})
    assert inner == meant.inner.model_copy(update={"wait": None})
    assert found.model.inner.wait is not None


@pytest.mark.parametrize(
    ("old", "new", "lost", "left"),
    [
        ("width: 2, ", "", {("inner", "width")}, lambda model: model.inner.width == 1),
        ("kind: left, ", "", {("inner", "kind")}, lambda model: model.inner.kind == "left"),
        ("share: 0.5", "share: 7.5", {("inner", "share")}, lambda model: model.inner.share == 0.5),
        ("share: 0.5", "share: [1]", {("inner", "share")}, lambda model: model.inner.share == 0.5),
        ("ends: [0, 1]", "ends: [0]", {("inner", "ends")}, lambda model: model.inner.ends is None),
        ("ends: [0, 1]", "ends: [0, x]", {("inner", "ends")}, lambda model: model.inner.ends is None),
        ("kind: left", "kind: qqqqqq", {("inner", "kind")}, lambda model: model.inner.kind == "left"),
        ("method: second", "method: qqqqqq", {("way",)}, lambda model: model.way is None),
        ("method: second, ", "", {("way",), ("way", "method")}, lambda model: model.way is None),
        ("words: [alpha]", "words: [alpha, qqqq]", {("words",)}, lambda model: model.words == ()),
        ("{a: 0.5}", "{a: 2.0, b: 0.5}", {("table", "a")}, lambda model: model.table == {"b": 0.5}),
        ("title: t\n", "", {("title",)}, lambda model: model.title == "unknown"),
        ("table: {a: 0.5}", "table: &x {a: 0.5}", {("table",)}, lambda model: model.table == {}),
        ("steps: 4", "<<: {steps: 4}", {("way", ANY_KEY), ("way", "steps")}, lambda model: model.way.steps == 1),
        ("width: 2", "width: ", {("inner", "width")}, lambda model: model.inner.width == 1),
        ("words: [alpha]", "words: [alpha]\n? [1]\n: 2", {(ANY_KEY,)}, lambda model: model.words == ("alpha",)),
    ],
)
def test_what_cannot_be_guessed_is_lost_and_its_key_named(old, new, lost, left):
    found = changed(old, new)
    assert found.lost == lost
    assert left(found.model)


def test_a_key_like_two_others_is_neither():
    class Twins(Model):
        first_a: Count = 1
        first_b: Count = 1

    class Pair(Model):
        twins: Twins = Twins()

    found = recover(compose(Source("doc", "twins: {first_c: 2}")).value, Pair)
    assert found.model.twins == Twins()
    assert found.lost == {("twins", "first_a"), ("twins", "first_b")}


class Parts(Model):
    """Every kind of required value that something can stand in for."""

    flag: bool
    inner: Inner
    way: Annotated[One | Two, Field(discriminator="method")]
    either: Count | Literal["auto"]
    words: tuple[Name, ...]
    some: Annotated[tuple[Inner, ...], Field(min_length=1)]
    table: dict[str, Share]
    rate: float


def test_a_stand_in_is_made_for_whole_sections_that_are_missing():
    found = recover(compose(Source("doc", "rate: 0.5")).value, Parts)
    assert found.lost == {(name,) for name in Parts.model_fields} - {("rate",)}
    assert found.model.way == One(method="first")
    assert found.model.some == (found.model.inner,)
    assert (found.model.flag, found.model.either, found.model.words, found.model.table) == (False, 1, (), {})


def test_what_nothing_can_stand_in_for_leaves_nothing():
    class Pinned(Model):
        ends: tuple[float, float]

    assert recover(compose(Source("doc", "x: 1")).value, Pinned) is None


def test_too_much_damage_leaves_nothing():
    assert recovered("title: [1]\n" + "".join(f"x{number}: 1\n" for number in range(200))) is None


def test_a_large_document_with_many_faults_takes_no_time():
    text = "title: t\ntable: {" + ", ".join(f"k{number}: {2 if number < 90 else 0.5}" for number in range(15000)) + "}"
    composed = compose(Source("doc", text)).value
    begin = time.process_time()
    found = recover(composed, Whole)
    assert time.process_time() - begin < 3
    assert len(found.model.table) == 15000 - 90


BITS = st.sampled_from(["left", "1", "0.5", "[1, 2]", "{}", "3 s", "second", "alpha", "null", "'x'", "true"])
KEYS = st.sampled_from([*Whole.model_fields, *Inner.model_fields, "method", "steps", "kidn", "q"])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(KEYS, st.one_of(BITS, st.lists(st.tuples(KEYS, BITS), max_size=4, unique_by=lambda p: p[0]))),
        max_size=6,
        unique_by=lambda pair: pair[0],
    )
)
def test_any_tree_gives_a_model_or_nothing(pairs):
    def written(value):
        return value if isinstance(value, str) else "{" + ", ".join(f"{key}: {bit}" for key, bit in value) + "}"

    composed = compose(Source("doc", "".join(f"{key}: {written(value)}\n" for key, value in pairs) or "q: 1\n"))
    found = recover(composed.value, Whole)
    assert found is None or isinstance(found.model, Whole)
