"""Counter-based draws: fixed by (seed, stream, block, index) alone, within the schema, with the shares asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.backend.columns import column_dtype, member_index, spelled, stored_members
from synthspec.backend.conditions import condition_reasons
from synthspec.backend.dataset import Dataset
from synthspec.backend.draws import Stream, draw_conditions, generator, uniform, within
from synthspec.backend.protocol import DataError
from synthspec.ir.schema import Field, Schema
from synthspec.spec.conditioning import Variable
from synthspec.testing import catalogue, strategies

CATEGORICAL = Field(name="kind", role="condition", dtype="categorical", enum=("a", "b", "c"))
TEMPERATURE = Field(name="temp", role="condition", dtype="float32", range=(-40.0, 85.0))
CONTENT = Field(name="x", role="content", dtype="float32", range=(0.0, 1.0))


def op_with(fields, variables, condition=()):
    schema = Schema(modality="tabular", fields=(CONTENT, *fields))
    fit = replace(catalogue.fit("vae", "tabular"), schema=schema, conditions=tuple(field.name for field in fields))
    made = tuple(
        (field.name, Variable(interface="categorical", distribution=law))
        for field, law in zip(fields, variables, strict=True)
    )
    return replace(catalogue.sample(catalogue.fit("vae", "tabular")), fit=fit, variables=made, condition=condition)


def test_a_cell_is_its_own_generator():
    first = generator(7, Stream.START, 3, 2).random(8)
    assert (generator(7, Stream.START, 3, 2).random(8) == first).all()
    for other in ((8, Stream.START, 3, 2), (7, Stream.STEP, 3, 2), (7, Stream.START, 4, 2), (7, Stream.START, 3, 1)):
        assert not np.intersect1d(generator(*other).random(8), first).size


def philox4x64_10(counter, key):
    """Salmon et al. 2011, written out."""
    word, (c0, c1, c2, c3), (k0, k1) = 2**64, counter, key
    for _ in range(10):
        high0, low0 = divmod(0xD2E7470EE14C6C93 * c0, word)
        high1, low1 = divmod(0xCA5A826395121157 * c2, word)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) % word, (k1 + 0xBB67AE8584CAA73B) % word
    return c0, c1, c2, c3


def test_the_stream_is_that_of_the_paper():
    """Key (seed, stream), counter (1, 0, index, block) first: other bytes would break every replay."""
    zero = philox4x64_10((0, 0, 0, 0), (0, 0))
    assert zero[0] == 0x16554D9ECA36314C  # the known answer of Random123
    words = philox4x64_10((1, 0, 2, 3), (7, int(Stream.START))) + philox4x64_10((2, 0, 2, 3), (7, 1))
    assert generator(7, Stream.START, 3, 2).random(8).tolist() == [(each >> 11) * 2.0**-53 for each in words]


@given(st.data())
def test_uniform_draws_fit_their_field(data):
    field = data.draw(strategies.fields("x"))
    column = uniform(field, generator(1, Stream.START, 0), 9)
    assert column.shape == (9, *field.shape)
    assert column.dtype == column_dtype(field)
    if field.enum:
        assert set(column.ravel().tolist()) <= set(stored_members(field))
    elif field.range:
        assert column.min() >= field.range[0]
        assert column.max() <= field.range[1]


def test_uniform_draws_reach_both_ends_of_a_grid_evenly():
    pixels = Field(name="p", role="content", dtype="float32", range=(0.0, 16.0), resolution=1.0)
    values, counts = np.unique(uniform(pixels, generator(1, Stream.START, 0), 17000), return_counts=True)
    assert values.tolist() == list(range(17))
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_values_are_brought_within_their_field():
    tenth = Field(name="x", role="content", dtype="float32", range=(-0.1, 0.1))
    assert within(tenth, np.array([-9.0, 9.0])).tolist() == [np.float32(-0.1), np.float32(0.1)]
    whole = Field(name="n", role="content", dtype="uint8", range=(0.5, 3.5))
    assert within(whole, np.array([0.0, 1.6, 9.0])).tolist() == [1, 2, 3]
    wide = Field(name="n", role="content", dtype="int64")
    assert within(wide, np.array([1e30, -1e30])).tolist() == [2**63 - 1024, -(2**63)]


def test_empirical_conditions_keep_their_joint_law():
    training = Dataset({"kind": np.array([0, 1, 2, 1]), "temp": np.array([0.0, 10.0, 20.0, 11.0], dtype=np.float32)})
    op = op_with((CATEGORICAL, TEMPERATURE), ("empirical", "empirical"))
    drawn = draw_conditions(op, training, 0, 400)
    pairs = set(zip(drawn["kind"].tolist(), drawn["temp"].tolist(), strict=True))
    assert pairs == {(0, 0.0), (1, 10.0), (2, 20.0), (1, 11.0)}
    assert drawn["temp"].dtype == np.float32


def test_rows_without_their_condition_are_passed_over():
    training = Dataset({"kind": np.array([-1, 2, -1]), "temp": np.array([1, 2, np.nan], dtype=np.float32)})
    op = op_with((CATEGORICAL, TEMPERATURE), ("empirical", "empirical"))
    drawn = draw_conditions(op, training, 0, 50)
    assert set(drawn["kind"].tolist()) == {2}
    with pytest.raises(DataError) as fault:
        draw_conditions(op, training.take(np.array([0, 2])), 0, 5)
    assert fault.value.code == "data.no-conditions"


def test_a_table_keeps_its_shares_and_never_gives_a_zero_one():
    op = op_with((CATEGORICAL,), ({"a": 0.2, "c": 0.8},))
    kinds = draw_conditions(op, Dataset({}), 0, 20000)["kind"]
    assert not (kinds == 1).any()
    assert (kinds == 2).mean() == pytest.approx(0.8, abs=0.015)


@given(st.integers(1, 40), st.integers(0, 5))
def test_fewer_records_are_the_first_of_more(size, block):
    op = op_with((CATEGORICAL, TEMPERATURE), ({"a": 0.5, "b": 0.5}, "uniform"))
    few, many = (draw_conditions(op, Dataset({}), block, n) for n in (size, 40))
    assert all((few[name] == many[name][:size]).all() for name in few)


def test_a_held_condition_is_constant_and_stored_as_its_code():
    op = op_with((CATEGORICAL, TEMPERATURE), ("uniform", "uniform"), (("kind", "b"), ("temp", 21.5)))
    drawn = draw_conditions(op, Dataset({}), 0, 3)
    assert drawn["kind"].tolist() == [1, 1, 1]
    assert drawn["temp"].tolist() == [21.5] * 3


def test_true_is_not_one():
    flags = Field(name="f", role="condition", dtype="categorical", enum=(1, True, "true"))
    assert [member_index(flags, value) for value in (1, True, "true", 1.0, False)] == [0, 1, 2, 0, None]
    assert [spelled(member) for member in flags.enum] == ["1", "true", "true"]


@pytest.mark.parametrize(
    ("field", "law", "held", "says"),
    [
        (CATEGORICAL, "empirical", None, None),
        (CATEGORICAL, "uniform", None, None),
        (CATEGORICAL, {"a": 1.0}, None, None),
        (CATEGORICAL, {"a": 0.5, "z": 0.5}, None, "names z"),
        (CATEGORICAL, {"a": 0.0}, None, "no member a share"),
        (CATEGORICAL, "empirical", "z", "'z'"),
        (TEMPERATURE, "uniform", None, None),
        (TEMPERATURE, "empirical", 200.0, "outside its range"),
        (TEMPERATURE, "empirical", "warm", "not a number"),
        (replace(TEMPERATURE, range=None), "uniform", None, "neither a range nor an enum"),
        (replace(TEMPERATURE, dtype="string", range=None), "empirical", None, "text"),
    ],
)
def test_what_cannot_be_drawn_is_said_before(field, law, held, says):
    op = op_with((field,), (law,), () if held is None else ((field.name, held),))
    reasons = condition_reasons(op)
    assert (says is None and reasons == ()) or (says is not None and says in " ".join(reasons))


def test_every_condition_is_registered_and_every_held_one_is_trained_on():
    op = op_with((CATEGORICAL,), ("uniform",))
    assert "neither a distribution nor a value" in condition_reasons(replace(op, variables=()))[0]
    assert "not trained on it" in condition_reasons(replace(op, condition=(("x", 1.0),)))[0]
    lost = replace(op, fit=replace(op.fit, conditions=("kind", "gone")))
    assert "no field of the SRef" in condition_reasons(lost)[0]
