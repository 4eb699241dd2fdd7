"""Columns guessed and halves linked: what copies give away, and what follows from the law of the data alone."""

import numpy as np
import pytest

from synthspec.metrics import Field, Request, Sample, measure
from synthspec.metrics.membership.inference import attribute, linkability


def table(r, n):
    """Two numbers that go together, one that goes with nothing, and a category of four."""
    a = r.standard_normal((n, 1))
    category = (r.integers(0, 4, n)[:, None] == np.arange(4)) / np.sqrt(2)
    return (a, a + 0.3 * r.standard_normal((n, 1)), r.standard_normal((n, 1)), category)


def test_copies_give_a_column_away_that_nothing_else_would():
    r = np.random.default_rng(0)
    members, others = table(r, 400), table(r, 400)
    guessed = attribute(members, others, members)
    assert guessed.lower > 0.6
    assert guessed.column in {2, 3}
    assert linkability(members, others, members).lower > 0.8


def test_what_the_law_tells_of_everyone_is_no_gain():
    r = np.random.default_rng(1)
    members, others, fresh = table(r, 400), table(r, 400), table(r, 800)
    guessed, linked = attribute(members, others, fresh), linkability(members, others, fresh)
    assert guessed.lower < 0 < guessed.upper < 0.25
    assert abs(linked.value) < 0.05
    assert guessed.lower <= guessed.value <= guessed.upper


@pytest.mark.parametrize("width", [1, 65])
def test_a_lone_column_and_a_wide_table_are_not_attacked_column_by_column(width):
    r = np.random.default_rng(4)
    parts = [Sample(content=r.standard_normal((60, width))) for _ in range(4)]
    fields = tuple(Field(name=f"x{i}", low=-9.0, high=9.0) for i in range(width))
    request = Request(
        modality="tabular", fields=fields, seed=1, train=parts[0], val=parts[1], test=parts[2], synthetic=parts[3]
    )
    figure = measure(("MI",), request)[0]
    assert figure.value is not None
    assert figure.detail("linkability.advantage") is None


def test_they_stand_in_the_figure_of_a_table():
    r = np.random.default_rng(3)
    rows = [np.concatenate([*table(r, 100)[:3]], axis=1) for _ in range(3)]
    fields = tuple(Field(name=name, low=-9.0, high=9.0) for name in "abc")
    train, val, test = (Sample(content=each) for each in rows)
    figure = measure(("MI",), Request(
        modality="tabular", fields=fields, seed=1, train=train, val=val, test=test, synthetic=train,
    ))[0]  # fmt: skip
    assert figure.detail("attribute_inference.column") in {"a", "b", "c"}
    assert figure.detail("attribute_inference.lower") > 0.3
    assert figure.detail("linkability.lower") > 0.7
