"""What every backend does alike once it can draw a block: ``sample``, ``latency`` and ``replay``.

A backend says how an engine is loaded and how one block is drawn; the order, the workers, the reports and the comparison
are here. Importing this module imports numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.artifacts import (
    DATA,
    LATENCIES,
    LATENCY_REPORT,
    REPLAY_REPORT,
    SAMPLE_REPORT,
    LatencyReport,
    ReplayReport,
    SampleReport,
    write_report,
)
from synthspec.backend.dataset import Column, Dataset, read_dataset, write_dataset
from synthspec.backend.protocol import Artifact, Context, Kernel
from synthspec.ir.drawing import batches
from synthspec.ir.evidence import Scalar
from synthspec.ir.ops import Latency, Replay, Sample
from synthspec.ir.solvers import law_of

LATENCY_COLUMN = "latency_ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Records with what the network spent on them, counted at the network."""

    data: Dataset
    net_calls: int = 0
    net_evals_per_sample: int = 0
    cfg_evals: int = 0
    """Those of the evaluations that guidance added."""
    counts: tuple[tuple[str, int], ...] = ()
    """Further counts; they are summed over the blocks into the facts of the report."""


class Sampler(Protocol):
    """A trained engine, ready to draw. `draw` is called from several threads at a time."""

    @property
    def device(self) -> str:
        """What computes: ``cpu``."""

    @property
    def threads(self) -> int:
        """Threads that one call of `draw` uses."""

    def draw(self, block: int, size: int) -> Drawn:
        """`size` records of block `block`. Depends on the sample's seed, `block` and `size` alone."""


Loader = Callable[[Sample, Mapping[str, Artifact]], Sampler]
"""Makes a sampler of the artifacts ``engine``, ``data`` and ``split``."""


def sampling_kernels(load: Loader) -> dict[str, Kernel]:
    """The kernels of ``sample``, ``latency`` and ``replay`` for engines that `load` loads."""

    def sample(op: Sample, inputs: Mapping[str, Artifact], context: Context) -> None:
        sampler = load(op, inputs)
        drawn = _draw_all(op, sampler, context)
        write_dataset(context.out, _joined(drawn, op.candidates))
        write_report(context.out, SAMPLE_REPORT, _report(op, drawn))

    def latency(op: Latency, inputs: Mapping[str, Artifact], context: Context) -> None:
        sampler = load(op.sample, inputs)
        write_dataset(context.out, Dataset({LATENCY_COLUMN: _timed(op, sampler, context)}), LATENCIES)
        report = LatencyReport(
            requests=op.requests, warmup=op.warmup, batch=1, threads=sampler.threads, device=sampler.device
        )
        write_report(context.out, LATENCY_REPORT, report)

    def replay(op: Replay, inputs: Mapping[str, Artifact], context: Context) -> None:
        sampler, kept = load(op.sample, inputs), read_dataset(inputs["samples"].path(DATA))
        write_report(context.out, REPLAY_REPORT, _replayed(op, sampler, kept, context))

    return {"sample": sample, "latency": latency, "replay": replay}


def _draw_all(op: Sample, sampler: Sampler, context: Context) -> list[Drawn]:
    """Every block at its full size, the last one too: what a block holds must not depend on how many were asked for.

    A worker takes the blocks of a batch one after another. They are never one call of the network: the kernel of a matrix
    product is chosen by its shape, and the order of its sums, and so its last bits, with it. Larger batches are handed out
    less often, and are counted as progress later.
    """
    context.progress.start("sample", op.candidates, "records")
    drawn: list[Drawn] = []
    with ThreadPoolExecutor(max(1, context.workers)) as pool:
        for parts in pool.map(
            lambda blocks: [sampler.draw(block, op.block) for block in blocks],
            batches(op.candidates, op.block, context.batch),
        ):
            records = min(len(parts) * op.block, op.candidates - len(drawn) * op.block)
            context.progress.advance(records)
            drawn.extend(parts)
    return drawn


def _joined(drawn: list[Drawn], records: int) -> Dataset:
    names = drawn[0].data.columns
    return Dataset({name: np.concatenate([part.data[name] for part in drawn])[:records] for name in names})


def _report(op: Sample, drawn: list[Drawn]) -> SampleReport:
    spent = {(part.net_calls, part.net_evals_per_sample, part.cfg_evals) for part in drawn}
    adaptive = op.solver is not None and law_of(op.solver.name).adaptive
    if len(spent) != 1 and not adaptive:
        raise RuntimeError(f"blocks of equal size spent unequal numbers of evaluations: {sorted(spent)}")
    net_calls, evals, cfg_evals = (max(each) for each in zip(*spent, strict=True))
    totals: dict[str, Scalar] = {}
    for part in drawn:
        for name, count in part.counts:
            totals[name] = int(totals.get(name, 0)) + count
    if adaptive:
        totals["nfe_mean"] = sum(part.net_evals_per_sample for part in drawn) / len(drawn)
    return SampleReport(
        records=op.candidates,
        steps=op.solver.steps if op.solver and evals else 0,
        net_calls=net_calls,
        net_evals_per_sample=evals,
        cfg_evals=cfg_evals,
        facts=tuple(sorted(totals.items())),
    )


def _timed(op: Latency, sampler: Sampler, context: Context) -> NDArray[np.float64]:
    """Wall time of each request in ms, one record a request, one request at a time; the warm-up is left out."""
    context.progress.start("latency", op.warmup + op.requests, "requests")
    times = np.empty(op.warmup + op.requests)
    for request in range(len(times)):
        begin = perf_counter_ns()
        sampler.draw(request, 1)
        times[request] = (perf_counter_ns() - begin) / 1e6
        context.progress.advance()
    return times[op.warmup :]


def _replayed(op: Replay, sampler: Sampler, kept: Dataset, context: Context) -> ReplayReport:
    context.progress.start("replay", len(op.blocks), "blocks")
    records = mismatches = 0
    for block in op.blocks:
        first = block * op.sample.block
        rows = np.arange(first, min(first + op.sample.block, len(kept)))
        if block < 0 or not len(rows):
            raise ValueError(f"block {block} is not in a sample of {len(kept)} records")
        again = sampler.draw(block, op.sample.block).data.take(np.arange(len(rows)))
        records += len(rows)
        mismatches += unequal_records(again, kept.take(rows))
        context.progress.advance()
    return ReplayReport(blocks=op.blocks, records=records, mismatches=mismatches, fresh=context.fresh)


def unequal_records(one: Dataset, other: Dataset) -> int:
    """How many records of two datasets of equal length differ in any byte; all of them when the columns do."""
    if len(one) != len(other):
        raise ValueError(f"{len(one)} records cannot be compared with {len(other)}")
    forms = [{name: (column.dtype, column.shape) for name, column in each.columns.items()} for each in (one, other)]
    if forms[0] != forms[1]:
        return len(one)
    unequal = np.zeros(len(one), dtype=bool)
    for name in one.columns:
        unequal |= (_bytes(one[name]) != _bytes(other[name])).any(axis=1)
    return int(unequal.sum())


def _bytes(column: Column) -> NDArray[np.uint8]:
    if not len(column):
        return np.zeros((0, 1), dtype=np.uint8)
    return np.ascontiguousarray(column).reshape(len(column), -1).view(np.uint8)
