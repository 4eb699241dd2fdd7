"""The block kernels, on a sampler that is simple enough to know."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import numpy as np
import pytest

from synthspec.backend.artifacts import (
    DATA,
    LATENCIES,
    LATENCY_REPORT,
    REPLAY_REPORT,
    SAMPLE_REPORT,
    LatencyReport,
    ReplayReport,
    SampleReport,
    read_report,
)
from synthspec.backend.blocks import Drawn, sampling_kernels, unequal_records
from synthspec.backend.dataset import Dataset, read_dataset
from synthspec.backend.protocol import Artifact, Context
from synthspec.ir.ops import Latency, Replay
from synthspec.testing import catalogue
from synthspec.testing.conformance.trial import Phases, collected

OP = catalogue.sample(catalogue.fit("diffusion", "tabular"), n=70, block=32, steps=5)


@dataclass
class Counting:
    """Record i of block b is the number 1000 b + i."""

    device = "cpu"
    threads = 3
    evals = 5

    def draw(self, block, size):
        data = Dataset({"x": np.arange(size) + 1000 * block})
        evals = self.evals(block) if callable(self.evals) else self.evals
        return Drawn(data=data, net_calls=evals, net_evals_per_sample=evals, counts=(("seen", 1),))


@pytest.fixture
def run(tmp_path):
    def run(op, *, samples=None, workers=1, batch=None, sampler=None):
        made = sampler or Counting()
        out = tmp_path / f"{op.op}-{workers}-{len(list(tmp_path.iterdir()))}"
        out.mkdir()
        context = Context(out=out, root=out, workers=workers, batch=batch, progress=Phases())
        sampling_kernels(lambda op, inputs: made)[op.op](op, {"samples": samples} if samples else {}, context)
        return collected(out), context.progress

    return run


def test_blocks_are_joined_in_order_and_cut_to_the_number_asked_for(run):
    made, progress = run(OP, workers=3)
    rows = read_dataset(made.path(DATA))["x"]
    assert rows.tolist() == [*range(32), *range(1000, 1032), *range(2000, 2006)]
    report = read_report(made.path(SAMPLE_REPORT), SampleReport)
    assert (report.records, report.steps, report.net_calls, report.net_evals_per_sample) == (70, 5, 5, 5)
    assert dict(report.facts) == {"seen": 3}
    assert progress.seen == [("sample", 70, 70)]


@pytest.mark.parametrize("batch", [32, 64, 96, 3200])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_batch_is_whole_blocks_that_one_worker_draws_in_turn(run, workers, batch):
    sampler, drawn = Counting(), []
    draw = sampler.draw

    def listening(block, size):
        drawn.append((threading.get_ident(), block, size))
        return draw(block, size)

    sampler.draw = listening
    made, progress = run(OP, workers=workers, batch=batch, sampler=sampler)
    assert made.path(DATA).read_bytes() == run(OP)[0].path(DATA).read_bytes()
    assert {size for _, _, size in drawn} == {32}, "a network sees exactly one block"
    each = batch // 32
    for first in range(0, 3, each):
        inside = [(thread, block) for thread, block, _ in drawn if first <= block < first + each]
        assert len({thread for thread, _ in inside}) == 1
        assert [block for _, block in inside] == list(range(first, min(first + each, 3)))
    assert progress.seen == [("sample", 70, 70)]


@pytest.mark.parametrize("batch", [16, 33, 0, -32])
def test_a_batch_never_cuts_a_block(run, batch):
    with pytest.raises(ValueError, match="no multiple of a block of 32"):
        run(OP, batch=batch)


def test_unequal_costs_of_blocks_are_a_bug_that_is_not_averaged_away(run):
    sampler = Counting()
    sampler.evals = lambda block: 5 + block
    with pytest.raises(RuntimeError, match="unequal numbers of evaluations"):
        run(OP, sampler=sampler)


def test_a_fault_in_one_block_ends_the_sampling(run):
    sampler = Counting()
    sampler.draw = lambda block, size: 1 / (block - 1)
    with pytest.raises(ZeroDivisionError):
        run(OP, sampler=sampler, workers=2)


def test_latency_leaves_the_warm_up_out(run, monkeypatch):
    """On a clock that only drawing moves: request i takes 10 - i ms."""
    clock, sizes, sampler = [0], [], Counting()

    def draw(block, size):
        clock[0] += (10 - block) * 10**6
        sizes.append(size)

    sampler.draw = draw
    monkeypatch.setattr("synthspec.backend.blocks.perf_counter_ns", lambda: clock[0])
    made, progress = run(Latency(sample=OP, requests=6, warmup=2), sampler=sampler)
    assert read_dataset(made.path(LATENCIES))["latency_ms"].tolist() == [8, 7, 6, 5, 4, 3]
    assert sizes == [1] * 8
    report = read_report(made.path(LATENCY_REPORT), LatencyReport)
    assert report == LatencyReport(requests=6, warmup=2, batch=1, threads=3, device="cpu")
    assert progress.seen == [("latency", 8, 8)]


def test_replay_compares_whole_and_cut_blocks(run):
    samples, _ = run(OP)
    made, _ = run(Replay(sample=OP, blocks=(0, 2)), samples=samples)
    assert read_report(made.path(REPLAY_REPORT), ReplayReport) == ReplayReport(blocks=(0, 2), records=38, mismatches=0)


def test_replay_of_another_sample_finds_every_record(run):
    samples, _ = run(replace(OP, seed=8))
    other = Counting()
    other.draw = lambda block, size: Drawn(data=Dataset({"x": np.full(size, -1)}))
    made, _ = run(Replay(sample=OP, blocks=(1,)), samples=samples, sampler=other)
    assert read_report(made.path(REPLAY_REPORT), ReplayReport).mismatches == 32


@pytest.mark.parametrize("block", [-1, 3])
def test_a_block_that_was_not_drawn_cannot_be_replayed(run, block):
    samples, _ = run(OP)
    with pytest.raises(ValueError, match="is not in a sample"):
        run(Replay(sample=OP, blocks=(block,)), samples=samples)


def test_records_are_compared_byte_by_byte():
    one = Dataset({"x": np.array([[0.0, 1.0], [np.nan, 1.0], [2.0, 3.0]]), "y": np.array([1, 2, 3])})
    assert unequal_records(one, one) == 0
    signed = Dataset({"x": np.array([[-0.0, 1.0], [np.nan, 1.0], [2.0, 4.0]]), "y": np.array([1, 2, 4])})
    assert unequal_records(one, signed) == 2
    assert unequal_records(one, Dataset({"x": one["x"]})) == 3
    assert unequal_records(one, Dataset({"x": one["x"], "y": one["y"].astype(np.int32)})) == 3
    assert unequal_records(one.take(np.array([], dtype=int)), one.take(np.array([], dtype=int))) == 0
    with pytest.raises(ValueError, match="cannot be compared"):
        unequal_records(one, one.take(np.array([0])))


def test_an_artifact_has_the_files_it_names(tmp_path):
    with pytest.raises(KeyError):
        Artifact(tmp_path, ("a",)).path("b")
