"""Mixed tables: each family on Adult, judged by a classifier that tells its rows from held-out ones, and one trained on them.

The data are no part of this repository: fetch the first part of the UCI set "Adult" as a CSV with a header, and name it,

    python -m benchmarks.tabular --data adult.csv                     # or SYNTHSPEC_BENCH_ADULT
    python -m benchmarks.tabular --data adult.csv --engines flow --set training.epochs=30

Engines are those of `benchmarks/adult/`; each is compiled as any spec is, and its bind, split, fit and sample are run by
the kernels that `synthspec run` runs. Control arms: real train rows (the floor), independent columns, a Gaussian copula.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from benchmarks.judging import Rows, detection_auc, utility_auc, worst_pair
from synthspec.backend.artifacts import DATA, FIT_REPORT, FitReport, read_report
from synthspec.backend.dataset import Dataset, read_dataset, read_rows
from synthspec.backend.discovery import installed
from synthspec.backend.protocol import Artifact, Backend, Context
from synthspec.execute import CORE
from synthspec.ir.ops import Bind, Fit, Op, Sample, Split, Statistics
from synthspec.ir.plan import Plan
from synthspec.ir.schema import Schema
from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, load_spec, spot

HERE = Path(__file__).parent / "adult"
TARGET = "income"
SPEED = 100_000
"""Rows of the speed measurement."""
ARMS = ("real train rows", "independent columns", "gaussian copula")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of a kernel, by the wall and by the CPU of this process."""

    wall: float
    cpu: float


class Quiet:
    """Progress that nobody watches."""

    def start(self, label: str, total: int, unit: str) -> None:
        del label, total, unit

    def advance(self, count: int = 1, note: str = "") -> None:
        del count, note


@dataclass(frozen=True, slots=True)
class Bench:
    """The folder that a benchmark works in, and how many blocks are drawn at a time."""

    folder: Path
    workers: int

    def run(self, op: Op, backend: Backend, name: str, inputs: Mapping[str, Artifact]) -> tuple[Artifact, Spent]:
        """Run one op's kernel into the folder `name`."""
        out = self.folder / name
        out.mkdir(parents=True)
        context = Context(out=out, root=self.folder, workers=self.workers, progress=Quiet())
        wall, cpu = perf_counter(), process_time()
        backend.kernels()[op.op](op, inputs, context)
        spent = Spent(perf_counter() - wall, process_time() - cpu)
        files = tuple(path.relative_to(out).as_posix() for path in sorted(out.rglob("*")) if path.is_file())
        return Artifact(out, files), spent


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table in markdown."""
    options = _options(arguments)
    if not options.data:
        print("No data: see the first lines of benchmarks/tabular.py.")
        return
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.workers)
        for path in HERE.iterdir():
            shutil.copy(path, bench.folder)
        shutil.copy(options.data, bench.folder / "adult.csv")
        _head()
        arms = options.arms
        for engine in options.engines:
            plan = _plan(bench.folder / f"{engine}.yaml", options.set)
            arms = _measure(bench, plan, engine, arms)


def _plan(spec: Path, changes: Sequence[str]) -> Plan:
    pairs = tuple((key, value) for key, _, value in (change.partition("=") for change in changes))
    checked = load_spec(spot(spec), Options(today=datetime.now(UTC).date(), overrides=pairs))
    compiled = compile_spec(checked.value) if checked.value else checked
    if not isinstance(compiled.value, Plan):
        raise SystemExit("\n".join(f"{found.code}: {found.message}" for found in compiled.diagnostics))
    return compiled.value


def _measure(bench: Bench, plan: Plan, engine: str, arms: bool) -> bool:  # noqa: FBT001 - whether they are still owed
    ops = {node.op.op: node for node in plan.nodes if isinstance(node.op, Bind | Split | Statistics | Fit | Sample)}
    data, _ = bench.run(ops["bind"].op, CORE, f"{engine}/data", {})
    split, _ = bench.run(ops["split"].op, CORE, f"{engine}/split", {"data": data})
    inputs = {"data": data, "split": split}
    if "statistics" in ops:
        noisy, _ = bench.run(ops["statistics"].op, CORE, f"{engine}/statistics", inputs)
        inputs = {"data": noisy, "split": noisy}
    backend = installed()[ops["fit"].backend]
    fitted, training = bench.run(ops["fit"].op, backend, f"{engine}/fit", inputs)
    sample = ops["sample"].op
    if not isinstance(sample, Sample):
        raise TypeError("a plan has one sample")
    drawn, _ = bench.run(sample, backend, f"{engine}/sample", {**inputs, "engine": fitted})
    many = replace(sample, n=SPEED, candidates=SPEED)
    _, drawing = bench.run(many, backend, f"{engine}/many", {**inputs, "engine": fitted})
    schema = sample.fit.schema
    real, rows = read_dataset(data.path(DATA)), read_rows(split.path("split.safetensors"))
    known, held = _matrix(schema, real.take(np.sort(np.concatenate([rows.train, rows.val])))), real.take(rows.test)
    report = read_report(fitted.path(FIT_REPORT), FitReport)
    if arms:
        rng = np.random.default_rng(0)
        for name, made in zip(ARMS, (known, _independent(known, rng), _copula(known, rng)), strict=True):
            _line(schema, name, made, _matrix(schema, held), known, "- | - | -")
    speed = f"{SPEED / drawing.wall:,.0f} / {SPEED / drawing.cpu:,.0f}"
    note = f"{training.wall:.0f} / {training.cpu:.0f} | {report.steps} | {speed}"
    _line(schema, engine, _matrix(schema, read_dataset(drawn.path(DATA))), _matrix(schema, held), known, note)
    return False


def _matrix(schema: Schema, data: Dataset) -> Rows:
    return np.stack([data[field.name].astype(np.float64) for field in schema.with_role("content")], 1)


def _independent(real: Rows, rng: np.random.Generator) -> Rows:
    return np.stack([rng.permutation(column) for column in real.T], 1)


def _copula(real: Rows, rng: np.random.Generator) -> Rows:
    """Normal scores of randomised ranks with their correlation; back through the empirical quantiles."""
    from scipy.special import ndtr, ndtri

    order = np.argsort(np.argsort(real + rng.uniform(-0.49, 0.49, real.shape), axis=0), axis=0)
    scores = ndtri((order + 0.5) / len(real))
    drawn = ndtr(rng.multivariate_normal(np.zeros(real.shape[1]), np.corrcoef(scores.T), len(real)))
    places = np.minimum((drawn * len(real)).astype(np.int64), len(real) - 1)
    return np.take_along_axis(np.sort(real, axis=0), places, axis=0)


def _head() -> None:
    print(
        "| engine | detection AUC (sd of folds) | TSTR AUC | TRTR AUC | worst pair | fit s, wall / CPU | steps | rows/s |"
    )
    print("|---|---|---|---|---|---|---|---|", flush=True)


def _line(schema: Schema, name: str, made: Rows, held: Rows, known: Rows, note: str) -> None:
    content = schema.with_role("content")
    categorical = np.array([field.dtype == "categorical" for field in content])
    target = [field.name for field in content].index(TARGET)
    detection, deviation = detection_auc(held, made, categorical)
    useful = utility_auc(made, held, target, categorical)
    best = utility_auc(known, held, target, categorical)
    worst, (i, j) = worst_pair(held, made, categorical)
    pair = f"{worst:.3f} ({content[i].name}, {content[j].name})"
    print(f"| {name} | {detection:.3f} ({deviation:.3f}) | {useful:.3f} | {best:.3f} | {pair} | {note} |", flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.tabular", description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.environ.get("SYNTHSPEC_BENCH_ADULT", ""), help="the CSV")
    known = sorted(path.stem for path in HERE.glob("*.yaml") if not path.stem.endswith(".sref"))
    parser.add_argument("--engines", nargs="+", choices=known, default=known)
    parser.add_argument("--set", nargs="+", default=(), metavar="KEY=VALUE", help="changes of every spec")
    parser.add_argument("--workers", type=int, default=2, help="blocks drawn at a time")
    parser.add_argument("--arms", action="store_true", help="measure the control arms, too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
