"""Tables as standardised vectors: the inverse is exact, the log-determinant is the change of the density."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.backend.protocol import DataError
from synthspec.ir.schema import Field
from synthspec_torch.data.table import REACH, TableCodec

WIDTH = Field(name="width", role="content", dtype="float32", unit="mm", range=(-100.0, 100.0))
COUNT = Field(name="count", role="content", dtype="int16", range=(0.0, 40.0))
PRICE = Field(name="price", role="content", dtype="float64", resolution=0.25, range=(0.0, 1e6))
GRID = Field(name="grid", role="content", dtype="uint8", shape=(2, 2), range=(0.0, 15.0))
FIELDS = (WIDTH, COUNT, PRICE, GRID)


def table(n=50, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "width": rng.normal(3, 20, n).clip(-100, 100).astype(np.float32),
        "count": rng.integers(0, 41, n).astype(np.int16),
        "price": rng.integers(0, 400, n) * 0.25,
        "grid": rng.integers(0, 16, (n, 2, 2)).astype(np.uint8),
    }


def test_what_is_encoded_comes_back_to_the_byte():
    columns = table()
    codec = TableCodec.fitted(FIELDS, columns)
    back, clipped = codec.decode(codec.encode(columns))
    assert clipped == 0
    for field in FIELDS:
        assert back[field.name].dtype == columns[field.name].dtype
        assert back[field.name].tobytes() == columns[field.name].tobytes()


@given(st.integers(0, 2**32 - 1))
def test_every_place_in_a_cell_comes_back_to_its_value(seed):
    columns = table()
    codec = TableCodec.fitted(FIELDS[1:], columns)
    u = np.random.default_rng(seed).uniform(-0.4999, 0.4999, (50, codec.width))
    back, clipped = codec.decode(codec.encode(columns) + u * codec.cell)
    assert clipped == 0
    assert all((back[name] == columns[name]).all() for name in back)


def test_train_rows_are_standardised_and_stay_within_reach():
    columns = table(2000)
    columns["width"][0] = 100.0
    columns["price"][:] = 5.0
    columns["price"][0] = 900.0
    codec = TableCodec.fitted(FIELDS, columns)
    x = codec.encode(columns)
    assert np.abs(x.mean(0)).max() < 1e-9
    assert (np.abs(x) + codec.cell / 2).max() <= REACH + 1e-9
    # A column whose extremes are near is scaled by its deviation, that of its cell included.
    assert codec.scale[1] == pytest.approx(math.sqrt(columns["count"].astype(float).var() + 1 / 12))


def test_a_column_of_few_levels_reaches_as_far_as_its_range():
    columns = {"count": np.zeros(10, dtype=np.int16)}
    codec = TableCodec.fitted((COUNT,), columns)
    assert codec.scale[0] == pytest.approx(40.5 / REACH)


def test_rescaling_the_unit_shifts_the_nats_by_the_log_of_the_factor():
    metres = np.random.default_rng(1).normal(2.0, 0.3, 100)
    plain = Field(name="x", role="content", dtype="float64")
    one = TableCodec.fitted((plain,), {"x": metres})
    other = TableCodec.fitted((plain,), {"x": metres * 1000.0})
    np.testing.assert_allclose(one.encode({"x": metres}), other.encode({"x": metres * 1000.0}), atol=1e-10)
    assert other.nats_in_units - one.nats_in_units == pytest.approx(math.log(1000.0))
    assert one.nats_standardised == 0.0


def test_a_whole_number_counts_its_cell_not_its_unit():
    steps = np.random.default_rng(2).integers(0, 50, 100)
    of = [
        TableCodec.fitted((Field(name="x", role="content", dtype="float64", resolution=q),), {"x": steps * q})
        for q in (1.0, 10.0)
    ]
    assert of[0].nats_in_units == pytest.approx(of[1].nats_in_units)
    assert of[0].nats_standardised == of[0].nats_in_units


def test_declared_reads_the_range_alone():
    codec = TableCodec.declared((COUNT, WIDTH))
    assert codec.shift.tolist() == [20.0, 0.0]
    assert codec.scale == pytest.approx(np.array([41.0, 200.0]) / math.sqrt(12))
    with pytest.raises(ValueError, match="range"):
        TableCodec.declared((Field(name="x", role="content", dtype="float64"),))


def test_numbers_outside_are_clipped_onto_the_grid_and_counted():
    codec = TableCodec((COUNT, WIDTH), np.zeros(2), np.ones(2))
    back, clipped = codec.decode(np.array([[-3.0, 5.0], [40.4, 1e9], [99.0, -100.0]]))
    assert back["count"].tolist() == [0, 40, 40]
    assert back["width"].tolist() == [5.0, 100.0, -100.0]
    assert clipped == 3


def test_the_grid_ends_inside_a_range_that_is_off_it():
    field = Field(name="x", role="content", dtype="float64", resolution=0.5, range=(0.3, 2.2))
    back, _ = TableCodec((field,), np.zeros(1), np.ones(1)).decode(np.array([[-9.0], [9.0]]))
    assert back["x"].tolist() == [0.5, 2.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["width"].__setitem__(3, np.nan), "width of row 3"),
        (lambda c: c["width"].__setitem__(4, 101), "width of row 4 leaves its range"),
        (lambda c: c["price"].__setitem__(5, 0.3), "no multiple of its resolution 0.25"),
        (lambda c: c["count"].__setitem__(6, -1), "count of row 6"),
    ],
)
def test_what_the_sref_does_not_allow_is_said(change, said):
    columns = table()
    change(columns)
    with pytest.raises(DataError, match=said) as raised:
        TableCodec.fitted(FIELDS, columns)
    assert raised.value.code == "data.out-of-range"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_ends_and_multiples_are_those_that_the_dtype_holds(dtype):
    field = Field(name="x", role="content", dtype=dtype, range=(0.1, 900.1), resolution=0.1)
    columns = {"x": np.array([0.1, 0.3, 17.7, 900.1]).astype(dtype)}
    codec = TableCodec.fitted((field,), columns)
    back, clipped = codec.decode(codec.encode(columns))
    assert clipped == 0
    np.testing.assert_allclose(back["x"], columns["x"], rtol=1e-3)
    if dtype != "float16":
        assert back["x"].tobytes() == columns["x"].tobytes()


def test_a_continuous_column_with_one_value_has_no_density():
    with pytest.raises(DataError, match="width has the same value"):
        TableCodec.fitted((WIDTH,), {"width": np.full(9, 0.1, dtype=np.float32)})
