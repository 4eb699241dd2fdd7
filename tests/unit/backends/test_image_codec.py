import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from synthspec.backend.protocol import DataError
from synthspec.ir.schema import Field
from synthspec_torch.data.image import ImageCodec


def codec(dtype="float32", lo=0.0, hi=16.0, resolution=1.0, shape=(1, 2, 2)):
    return ImageCodec.of(
        Field(name="x", role="content", dtype=dtype, shape=shape, range=(lo, hi), resolution=resolution)
    )


@given(
    st.lists(st.integers(0, 255), min_size=4, max_size=4),
    st.sampled_from(["uint8", "int16", "int64", "float32", "float64"]),
)
def test_data_on_the_grid_come_back_to_the_bit(values, dtype):
    column = np.array(values).reshape(1, 1, 2, 2).astype(dtype)
    image = codec(dtype, 0, 255, 1.0 if dtype.startswith("f") else None)
    encoded = image.encode(column)
    assert encoded.dtype == torch.float32
    assert encoded.abs().max() <= 1
    back = image.decode(encoded)
    assert back.dtype == column.dtype
    assert np.array_equal(back, column)


@given(st.floats(-50, 50), st.floats(0.1, 40), st.floats(0, 1))
def test_without_a_resolution_the_inverse_is_exact_to_float32(lo, width, share):
    image = codec("float64", lo, lo + width, None, (1, 1, 1))
    value = np.clip(np.full((1, 1, 1, 1), lo + share * width), lo, lo + width)
    assert image.decode(image.encode(value)) == pytest.approx(value, abs=2e-7 * width + 1e-12)


def test_ends_of_the_range_are_the_ends_of_the_interval():
    x = codec().encode(np.array([0, 16, 8, 4], dtype=np.float32).reshape(1, 1, 2, 2))
    assert x.flatten().tolist() == [-1.0, 1.0, 0.0, -0.5]


def test_decode_rounds_and_clips():
    x = torch.tensor([-1.4, 1.3, 0.05, 0.07]).view(1, 1, 2, 2)
    assert codec().decode(x).flatten().tolist() == [0.0, 16.0, 8.0, 9.0]


def test_decode_stays_on_the_grid_inside_a_range_that_is_not_on_it():
    image = codec("float64", 0.3, 2.7, 1.0, (1, 1, 2))
    assert image.decode(torch.tensor([-9.0, 9.0]).view(1, 1, 1, 2)).flatten().tolist() == [1.0, 2.0]


def test_a_record_of_two_axes_has_one_channel():
    image = codec(shape=(2, 3))
    column = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    assert image.encode(column).shape == (1, 1, 2, 3)
    assert np.array_equal(image.decode(image.encode(column)), column)


@pytest.mark.parametrize("bad", [np.nan, -0.5, 16.5])
def test_a_value_outside_the_range_is_a_fault_of_the_data(bad):
    column = np.zeros((3, 1, 2, 2), dtype=np.float32)
    column[2, 0, 1, 1] = bad
    with pytest.raises(DataError, match="row 2") as caught:
        codec().encode(column)
    assert caught.value.code == "data.out-of-range"
