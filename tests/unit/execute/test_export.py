"""What people take away says what was kept."""

import io

import numpy as np
import pytest

from synthspec.backend.dataset import Dataset
from synthspec.execute.core.export import GAP, grid, readable, to_csv
from synthspec.ir.schema import Field, Schema

LABEL = Field(name="label", role="condition", dtype="categorical", enum=("cat", "dog"))
PIXELS = Field(name="pixels", role="content", dtype="float32", shape=(1, 2, 2), range=(0.0, 16.0))


def test_csv_reads_back_exactly() -> None:
    number = Field(name="x", role="content", dtype="float32", unit="m", dimension="[L]")
    when = Field(name="ts", role="time", dtype="timestamp")
    schema = Schema(modality="tabular", fields=(number, LABEL, when))
    values = np.array([0.1, 1e-30, 3.0e8], np.float32)
    dataset = Dataset({"x": values, "label": np.array([1, 0, -1]), "ts": np.array([0, 1, 1_700_000_000_000_000_001])})

    lines = to_csv(schema, dataset).splitlines()

    assert lines[0] == "x,label,ts"
    cells = [line.split(",") for line in lines[1:]]
    assert np.array_equal(np.array([cell[0] for cell in cells]).astype(np.float32), values)
    assert [cell[1] for cell in cells] == ["dog", "cat", ""]
    assert cells[2][2] == "2023-11-14T22:13:20.000000001Z"


def test_codes_become_members_and_a_missing_one_an_empty_text_or_no_number() -> None:
    assert readable(LABEL, np.array([1, 0])).tolist() == ["dog", "cat"]
    assert readable(LABEL, np.array([1, -1])).tolist() == ["dog", ""]
    counts = Field(name="n", role="condition", dtype="categorical", enum=(3, 5), nullable=True)
    assert str(readable(counts, np.array([1, -1])).tolist()) == "[5.0, nan]"
    truths = Field(name="b", role="condition", dtype="categorical", enum=(True, False), nullable=True)
    assert readable(truths, np.array([1, 0])).tolist() == [False, True]
    assert readable(truths, np.array([1, -1])).tolist() == ["false", ""]


def test_arrays_hold_no_objects() -> None:
    mixed = Field(name="m", role="condition", dtype="categorical", enum=(1, "one"))
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, m=readable(mixed, np.array([0, 1])))
    buffer.seek(0)
    assert np.load(buffer, allow_pickle=False)["m"].tolist() in ([0, 1], ["1", "one"])


def test_grid_has_one_row_a_class_and_keeps_brightness() -> None:
    schema = Schema(modality="image", fields=(PIXELS, LABEL))
    pixels = np.zeros((3, 1, 2, 2), np.float32)
    pixels[2] = 16.0
    sheet = grid(PIXELS, schema, Dataset({"pixels": pixels, "label": np.array([0, 0, 1])}))

    side = 48
    assert sheet.shape == (2 * (side + GAP) + GAP, 2 * (side + GAP) + GAP, 1)
    assert (sheet[GAP : GAP + side, GAP : GAP + side] == 0).all(), "a record of class cat is black"
    second_row = GAP + side + GAP
    assert (sheet[second_row : second_row + side, GAP : GAP + side] == 255).all(), "the record of class dog is white"


@pytest.mark.parametrize("n", [0, 1])
def test_grid_of_few_records(n: int) -> None:
    schema = Schema(modality="image", fields=(PIXELS,))
    sheet = grid(PIXELS, schema, Dataset({"pixels": np.zeros((n, 1, 2, 2), np.float32)}))
    assert sheet.ndim == 3
