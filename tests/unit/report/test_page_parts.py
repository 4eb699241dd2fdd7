"""The parts of the page: text never becomes markup, scales and ticks are what they say, colours can be read."""

import itertools
import math
import re
from html.parser import HTMLParser

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from synthspec.ir.manifest_engine import DpSpend, NoisyVector
from synthspec.ir.manifest_evidence import Metric
from synthspec.report.findings_text import plain
from synthspec.report.page.chart import Scale, place, scale, ticks, told
from synthspec.report.page.curves import thinned
from synthspec.report.page.markup import breakable, tag
from synthspec.report.page.parts import table
from synthspec.report.page.privacy import ADJACENCY, _vectors, attacked, neighbours, upwards
from synthspec.report.page.shown import curves
from synthspec.report.page.style import STYLE

NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)
HOSTILE = st.text() | st.sampled_from(
    ["</td><script>x</script>", '" onload="x', "'><b>", "&lt;", "]]>", "<!--", "\u202e", "\0"]
)


class Seen(HTMLParser):
    """What a parser makes of markup: tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


@given(HOSTILE, HOSTILE)
def test_text_and_attributes_stay_what_they_are(text, value):
    seen = Seen(tag("p", text, title=value).text)
    assert [name for name, _ in seen.tags] == ["p"]
    assert seen.text == plain(text)
    assert dict(seen.tags[0][1])["title"] == (plain(value) or None)


@given(HOSTILE)
def test_a_breakable_name_reads_as_the_name(text):
    seen = Seen(breakable(text).text)
    assert seen.text == plain(text)
    assert {name for name, _ in seen.tags} <= {"wbr"}


@pytest.mark.parametrize("name", ["a b", "", "x>y", "1"])
def test_names_of_elements_and_attributes_are_checked(name):
    with pytest.raises(ValueError, match="no name"):
        tag(name)
    with pytest.raises(ValueError, match="no name"):
        tag("p", **{name: "x"})


def test_a_table_names_its_rows_and_columns():
    seen = Seen(table("About", ("a", "b"), [("1", "2")]).text)
    assert [name for name, _ in seen.tags if name in ("caption", "th", "td")] == ["caption", "th", "th", "th", "td"]
    assert [dict(more)["scope"] for name, more in seen.tags if name == "th"] == ["col", "col", "row"]


@given(NUMBERS, NUMBERS)
def test_ticks_are_round_few_and_inside(low, high):
    assume(high - low > 1e-6 * max(abs(low), abs(high), 1e-3))
    found = ticks(low, high)
    room = 1e-6 * (high - low)
    assert 1 <= len(found) <= 7
    assert all(low - room <= each <= high + room for each in found)
    steps = [b - a for a, b in itertools.pairwise(found)]
    assert all(math.isclose(step, steps[0], rel_tol=1e-3) for step in steps)


@given(NUMBERS, st.floats(1e-6, 1e3))
def test_no_two_ticks_are_told_alike(low, share):
    """An eps of 3.9998 beside a limit of 4 has an axis of its own, not four times 4."""
    high = low + share * max(abs(low), 1e-3)
    found = ticks(low, high)
    texts = told(found)
    assert len(set(texts)) == len(set(found))
    assert all(
        math.isclose(float(text), tick, rel_tol=1e-3, abs_tol=1e-12) for text, tick in zip(texts, found, strict=True)
    )


@given(st.lists(NUMBERS, min_size=1), st.floats(0, 1))
def test_a_scale_keeps_order_and_stays_inside(values, share):
    found = scale(values, 10, 310, pad=0.1)
    places = [found(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(9.999 <= each <= 310.001 for each in places)
    assert math.isclose(found(found.low + share * (found.high - found.low)), 10 + share * 300, abs_tol=1e-3)


def test_a_logarithmic_scale_puts_equal_ratios_at_equal_distances():
    found = Scale(1e-3, 1e3, 0, 6, logarithmic=True)
    assert [round(found(10.0**power), 9) for power in range(-3, 4)] == [0, 1, 2, 3, 4, 5, 6]
    assert found.ticks == (1e-3, 1e-1, 1e1, 1e3)


@given(st.floats(-1e4, 1e4))
def test_a_coordinate_is_near_and_short(value):
    assert abs(float(place(value)) - value) <= 0.0501
    assert place(value) != "-0"


@given(st.lists(NUMBERS, max_size=2000))
def test_a_thinned_curve_keeps_its_extremes(values):
    curve = tuple(enumerate(values))
    found = thinned(curve, 100)
    assert len(found) <= 100
    assert set(found) <= set(curve)
    assert list(found) == sorted(found)
    if values:
        assert min(v for _, v in found) == min(values)
        assert max(v for _, v in found) == max(values)


@given(st.floats(1e-12, 1e6))
def test_a_bound_is_rounded_upwards(value):
    said = float(upwards(value))
    assert value <= said <= value * 1.0011


@pytest.mark.parametrize("adjacency", ADJACENCY)
@pytest.mark.parametrize("unit", ["record", "patient"])
def test_a_record_has_no_records_and_a_patient_has(adjacency, unit):
    said = neighbours(adjacency, unit)
    assert f"one {unit}" in said
    assert "{" not in said
    assert ("records" in said) == (unit == "patient" and adjacency != "add_remove")


def test_noisy_vectors_are_shown_on_narrow_screens_too():
    """Four columns: side by side they are wider than a phone."""
    vectors = (NoisyVector(name="fields", parts=5, size=194, sigma=1.9, commitment="a" * 64),)
    spent = DpSpend(eps_total=1.0, delta_total=1e-5, accounting_method="analytic", statistics=vectors)
    (shown,) = _vectors(spent)
    assert ("table", (("role", "table"), ("class", "stacked"))) in Seen(shown.text).tags


def test_known_bounds_keep_their_digits():
    assert [upwards(value) for value in (4.0, 1e-5, 0.1, 2.71831, 0.0)] == ["4", "1e-05", "0.1", "2.719", "0"]


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({}, "attack on the samples reached"),
        ({"engine_loss.advantage": 0.2, "knows": "engine"}, "attack on the samples and on the engine"),
        (
            {"engine_loss.advantage": 0.4, "engine_loss.upper": 0.45, "knows": "samples"},
            "ask the engine itself, which reached 0.4 (upper bound 0.45)",
        ),
    ],
)
def test_the_page_says_whom_the_attack_asked(details, said):
    found = Metric(name="MI", label="MI", value=0.2, upper=0.3, unit="1", method="binomial", details=details, reason="")
    assert said in attacked(found)
    assert "0.3" in attacked(found)


def test_signals_are_read_without_what_is_not_finite():
    log = b'{"epoch":1,"signals":{"loss":2,"w":"inf"},"step":1}\n{"epoch":1,"signals":{"loss":1.5},"step":2}\n'
    assert curves(log) == {"loss": ((1, 2.0), (2, 1.5))}
    with pytest.raises(ValueError, match="validation error"):
        curves(b'{"epoch":1}\n')


def luminance(colour):
    short = colour.removeprefix("#")
    digits = [each * 2 for each in short] if len(short) == 3 else [short[at : at + 2] for at in (0, 2, 4)]
    parts = [int(each, 16) / 255 for each in digits]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_marks_stand_out(theme):
    colours = dict(re.findall(r"--([a-z0-9-]+):(#[0-9a-f]+)", re.findall(r":root\{([^}]*)\}", STYLE)[theme]))
    grounds = [colours[name] for name in ("paper", "card")]
    for name in ("ink", "soft", "link", "good", "bad", "open", "c0", "c1"):
        assert min(contrast(colours[name], ground) for ground in grounds) >= 4.5, name
    for name in ("c2", "c3", "bar-edge"):
        assert min(contrast(colours[name], ground) for ground in grounds) >= 3, name
    for name in ("good", "bad"):
        assert contrast(colours[name], colours[f"{name}-fill"]) >= 4.5, name
    assert contrast(colours["ink"], colours["bad-fill"]) >= 4.5
    assert contrast(colours["link"], colours["bad-fill"]) >= 4.5
