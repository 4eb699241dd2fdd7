"""What the kit draws and lists fits what it says."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.backend.columns import column_dtype, stored_members
from synthspec.backend.dataset import read_dataset, write_dataset
from synthspec.ir.canonical import canonical_bytes
from synthspec.testing import catalogue, strategies
from synthspec.testing.toydata import toy_dataset, toy_rows


def fits(field, column, records):
    assert column.shape == (records, *field.shape)
    assert column.dtype == column_dtype(field)
    if field.enum:
        assert np.isin(column, stored_members(field)).all()
    elif field.range and column.size:
        low, high = np.asarray(field.range).astype(column.dtype)
        assert low <= column.min() <= column.max() <= high


@pytest.mark.parametrize("modality", catalogue.MODALITIES)
def test_toy_data_fit_the_schema_and_have_something_to_learn(modality):
    schema = catalogue.schema(modality)
    dataset = toy_dataset(schema, 100)
    for field in schema.fields:
        if field.role != "derived":
            fits(field, dataset[field.name], 100)
    assert all((toy_dataset(schema, 100)[name] == dataset[name]).all() for name in dataset.columns)
    if "label" in dataset.columns:
        shares = np.bincount(dataset["label"], minlength=3) / 100
        assert shares.max() > 0.4
        assert shares.min() > 0.05


def test_toy_rows_cover_all_rows_once():
    rows = toy_rows(101)
    joined = np.concatenate([rows.train, rows.val, rows.test])
    assert sorted(joined.tolist()) == list(range(101))
    assert len(rows.train) > len(rows.test) > len(rows.val) > 0


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_drawn_datasets_fit_their_schema_and_survive_the_file(data, tmp_path_factory):
    schema = data.draw(strategies.schemas())
    dataset = data.draw(strategies.datasets(schema))
    for field in schema.fields:
        fits(field, dataset[field.name], len(dataset))
    folder = tmp_path_factory.mktemp("drawn")
    write_dataset(folder, dataset)
    back = read_dataset(folder / "data.safetensors")
    assert all((back[name] == column).all() for name, column in dataset.columns.items())
    rows = data.draw(strategies.splits(len(dataset)))
    assert len(rows.train) + len(rows.val) + len(rows.test) == len(dataset)


def test_the_catalogue_has_every_kind_of_op_family_and_modality():
    ops = catalogue.catalogue()
    kinds = {op.op for op in ops}
    assert {"bind", "split", "fit", "accelerate", "sample", "enforce", "export", "latency", "replay", "emit"} <= kinds
    fits_ = [op for op in ops if op.op == "fit" and op.privacy.mechanism == "none"]
    pairs = {(op.engine.family, op.schema.modality) for op in fits_}
    assert len(pairs) == len(catalogue.FAMILIES) * len(catalogue.MODALITIES) == 28
    assert {op.privacy.mechanism for op in ops if op.op == "fit"} == {"none", "dp-sgd", "pate", "dp-noise"}
    assert len({canonical_bytes(op) for op in ops}) == len(ops)


def test_the_catalogue_loads_nothing_heavy():
    script = "import sys; import synthspec.testing.probe as p; print([m for m in p.HEAVY if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
