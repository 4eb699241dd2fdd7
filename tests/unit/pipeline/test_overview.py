"""The overview counts what is there, and looks at real records only where there is no mechanism."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from synthspec.backend.dataset import Dataset, Rows, write_dataset, write_rows
from synthspec.ir.canonical import canonical_bytes
from synthspec.ir.ops import Edge, Export, Fit, Measure
from synthspec.ir.schema import Field, Schema
from synthspec.pipeline.overview import BINS, overview_of, read_overview
from synthspec.spec.privacy import DpSgd, NoMechanism

TABLE = Schema(
    modality="tabular",
    fields=(
        Field(name="rid", role="key", dtype="int64"),
        Field(name="x", role="content", dtype="float64", unit="m"),
        Field(name="kind", role="condition", dtype="categorical", enum=("a", "b")),
        Field(name="count", role="content", dtype="int32"),
        Field(name="when", role="content", dtype="timestamp"),
        Field(name="said", role="content", dtype="string"),
    ),
)


def op(kind, **given):
    """An op with what the overview reads of it, and nothing else."""
    made = object.__new__(kind)
    for name, value in given.items():
        object.__setattr__(made, name, value)
    return made


class Run:
    """A plan and an execution of three nodes; a node that is not given may not be asked for."""

    def __init__(self, folder, schema, samples, real=None, rows=None, privacy=None):
        self.folder = folder
        self.private = privacy
        self.ops = {
            "export": op(Export, schema=schema),
            "fit": op(Fit, schema=schema, privacy=privacy or NoMechanism(mechanism="none")),
            "measure": op(Measure, reference="test"),
        }
        write = {"enforce": (samples, None), "bind": (real, None), "split": (None, rows)}
        self.made = {name for name, (data, split) in write.items() if data is not None or split is not None}
        for name in self.made:
            (folder / name).mkdir()
            data, split = write[name]
            if data is not None:
                write_dataset(folder / name, Dataset(data))
            if split is not None:
                write_rows(folder / name, split)

    def node(self, name):
        if name in self.ops:
            return SimpleNamespace(id=name, op=self.ops[name], inputs=(Edge(port="samples", node="enforce"),))
        assert name in self.made, name
        return SimpleNamespace(artifact=SimpleNamespace(path=lambda file: self.folder / name / file))


@pytest.fixture
def samples():
    return {
        "x": np.array([0.0, 1.0, 1.0, np.nan]),
        "kind": np.array([0, 1, 1, -1]),
        "count": np.array([3, 3, 5, 7], np.int32),
        "when": np.array([0, 10**9, 2 * 10**9, np.datetime64("NaT").astype(np.int64)]),
    }


ROWS = Rows(train=np.array([0]), val=np.array([1]), test=np.array([2, 3]))


@pytest.fixture
def real():
    return {
        "rid": np.arange(4),
        "x": np.array([9.0, 9.0, 0.0, 1.0]),
        "kind": np.array([1, 1, 0, 0]),
        "count": np.array([9, 9, 3, 5], np.int32),
        "when": np.array([0, 0, 0, 10**9]),
    }


def test_shares_are_counted_by_hand(tmp_path, samples, real):
    run = Run(tmp_path, TABLE, samples, real, ROWS)
    found = overview_of(run, run)
    assert (found.n_synthetic, found.split, found.n_real) == (4, "test", 2)
    by = {each.field: each for each in found.marginals}
    assert list(by) == ["x", "kind", "count", "when"]
    assert (by["kind"].members, by["kind"].synthetic, by["kind"].real) == (("a", "b"), (0.25, 0.5), (1.0, 0.0))
    assert (by["count"].members, by["count"].synthetic, by["count"].real) == (
        ("3", "5", "7"),
        (0.5, 0.25, 0.25),
        (0.5, 0.5, 0.0),
    )
    x = by["x"]
    assert (len(x.edges), len(x.synthetic), x.unit) == (BINS + 1, BINS, "m")
    assert (x.synthetic[0], x.synthetic[-1], sum(x.synthetic)) == (0.25, 0.5, 0.75)
    assert x.real is not None
    assert (x.real[0], x.real[-1]) == (0.5, 0.5)
    assert by["when"].instants
    assert by["when"].edges[0] == pytest.approx(0, abs=0.01)
    assert by["when"].edges[-1] == pytest.approx(2, abs=0.01)
    assert found.left_out == ("said",)
    assert read_overview(canonical_bytes(found)) == found


def test_under_a_mechanism_no_real_record_is_read(tmp_path, samples):
    run = Run(tmp_path, TABLE, samples, privacy=DpSgd(mechanism="dp-sgd"))
    found = overview_of(run, run)
    assert (found.split, found.n_real) == (None, None)
    assert all(each.real is None for each in found.marginals)
    assert '"real":null' in json.dumps(json.loads(canonical_bytes(found)), separators=(",", ":"))


def test_one_value_and_no_value_still_give_an_overview(tmp_path):
    samples = {"x": np.full(3, 2.0), "count": np.array([1, 1, 1], np.int32), "kind": np.full(3, -1)}
    run = Run(tmp_path, TABLE, samples, privacy=DpSgd(mechanism="dp-sgd"))
    by = {each.field: each for each in overview_of(run, run).marginals}
    assert set(by) == {"x", "count"}
    assert sum(by["x"].synthetic) == 1
    assert (by["count"].members, by["count"].synthetic) == (("1",), (1.0,))


@pytest.mark.parametrize("shape", [(1000,), (2, 1000)])
def test_series_are_shown_thinned_with_their_gaps(tmp_path, shape):
    schema = Schema(modality="timeseries", fields=(Field(name="s", role="content", dtype="float32", shape=shape),))
    content = np.arange(8 * np.prod(shape), dtype=np.float32).reshape(8, *shape)
    content[0, ..., 2] = np.nan
    run = Run(tmp_path, schema, {"s": content}, privacy=DpSgd(mechanism="dp-sgd"))
    traces = overview_of(run, run).traces
    assert [each.record for each in traces] == [0, 1, 2, 3, 4, 5]
    first = traces[0]
    assert (len(first.channels), first.stride, len(first.channels[0])) == (len(shape), 2, 500)
    assert first.channels[0][:3] == (0.0, None, 4.0)


def test_pictures_have_no_shares(tmp_path):
    schema = Schema(modality="image", fields=(Field(name="p", role="content", dtype="float32", shape=(1, 2, 2)),))
    run = Run(tmp_path, schema, {"p": np.zeros((3, 1, 2, 2), np.float32)}, privacy=DpSgd(mechanism="dp-sgd"))
    found = overview_of(run, run)
    assert (found.marginals, found.traces, found.left_out) == ((), (), ("p",))
