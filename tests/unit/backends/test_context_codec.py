"""Conditions as vectors: members one-hot, numbers standardised."""

import numpy as np
import pytest

from synthspec.backend.protocol import DataError
from synthspec.ir.schema import Field, Schema
from synthspec_torch.data.context import ContextCodec

SCHEMA = Schema(
    modality="tabular",
    fields=(
        Field(name="kind", role="condition", dtype="categorical", enum=("a", "b", "c"), nullable=True),
        Field(name="size", role="condition", dtype="int32", enum=(10, 20)),
        Field(name="temp", role="condition", dtype="float32"),
        Field(name="on", role="condition", dtype="bool"),
    ),
)
COLUMNS = {
    "kind": np.array([0, 2, -1, 1]),
    "size": np.array([20, 10, 10, 20], dtype=np.int32),
    "temp": np.array([1, 2, 3, 4], dtype=np.float32),
    "on": np.array([1, 1, 1, 1], dtype=np.uint8),
}


def test_members_are_one_hot_and_numbers_standardised():
    codec = ContextCodec.fitted(SCHEMA, ("temp", "kind", "size", "on"), COLUMNS)
    made = codec.encode(COLUMNS, 4)
    assert made.shape == (4, codec.width) == (4, 7)
    np.testing.assert_allclose(made[:, 0], (np.arange(4) - 1.5) / np.sqrt(1.25))
    assert made[:, 1:4].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert made[:, 4:6].tolist() == [[0, 1], [1, 0], [1, 0], [0, 1]]
    assert made[:, 6].tolist() == [0, 0, 0, 0]


def test_without_conditions_there_is_an_empty_context():
    codec = ContextCodec.fitted(SCHEMA, (), {})
    assert codec.width == 0
    assert codec.encode({}, 5).shape == (5, 0)


def test_a_missing_number_is_said():
    with pytest.raises(DataError, match="temp of row 1 is missing"):
        ContextCodec.fitted(SCHEMA, ("temp",), {"temp": np.array([1.0, np.nan])})
