"""Our estimators beside the reference libraries, and constraints beside hand-written numpy, in one process, in turn.

    python -m benchmarks.metrics                       # 10,000 x 256 features, 1,000,000 rows
    python -m benchmarks.metrics --records 2000 --rows 100000 --runs 3

torchmetrics and prdc come with the `dev` extra. Time is processor time of this process, one thread.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import platform
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import Literal

import numpy as np

from synthspec.execute.core.expressions import holds
from synthspec.ir.schema import Field, Rule, Schema
from synthspec.metrics.fid import frechet
from synthspec.metrics.kernels import cubic, mmd2
from synthspec.metrics.neighbours import overlap
from synthspec.metrics.request import Array

DIMENSIONS = 256
NEIGHBOURS = 5
Work = Callable[[], object]
Columns = Mapping[str, np.ndarray]

EXPRESSIONS: Mapping[str, Callable[[Columns], np.ndarray]] = {
    "power_out <= power_in": lambda c: c["power_out"] / 1000 <= c["power_in"],
    "10 dB * log10(power_in / power_out) <= 40 dB": lambda c: (
        10 * np.log10(1000 * c["power_in"] / c["power_out"]) <= 40
    ),
    "abs(temp - 20 degC) <= 60 K": lambda c: np.abs(c["temp"] - 20) <= 60,
    "power_in > 0.01 mW and power_in < 20 mW": lambda c: (c["power_in"] > 0.01) & (c["power_in"] < 20),
    "n_eff >= 1 and n_eff * n_eff <= 4": lambda c: (c["n_eff"] >= 1) & (c["n_eff"] * c["n_eff"] <= 4),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print two tables in markdown."""
    options = _options(arguments)
    warnings.simplefilter("ignore")
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()};")
    print(", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "torch", "torchmetrics", "prdc")) + ";")
    print(f"load average {os.getloadavg()[0]:.1f}")
    with threadpool_limits(limits=1):
        _features(options.records, options.runs)
        _constraints(options.rows, 10 * options.runs + 1)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metrics")
    parser.add_argument("--records", type=int, default=10_000, help="of each side (default: 10,000)")
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="of the table with constraints (default: 1,000,000)"
    )
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each (default: 3)")
    return parser.parse_args(arguments)


def _features(records: int, runs: int) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((records, DIMENSIONS)), rng.standard_normal((records, DIMENSIONS)) + 0.05
    print(f"\n{records:,} x {DIMENSIONS} features of each side, float64, k = {NEIGHBOURS}\n")
    print("| what | ours, CPU s | reference, CPU s | ours / reference |\n|---|---|---|---|")
    pairs: Mapping[str, tuple[Work, Work]] = {
        "FID (torchmetrics)": (lambda: frechet(x, y), _torch_fid(x, y)),
        "KID (torchmetrics, 100 subsets of 1,000)": (lambda: mmd2(cubic, x, y), _torch_kid(x, y)),
        "PRDC (prdc)": (lambda: overlap(x, y, NEIGHBOURS, NEIGHBOURS), _prdc(x, y)),
    }
    for name, (ours, theirs) in pairs.items():
        print(_row(name, ours, theirs, runs), flush=True)


def _constraints(rows: int, runs: int) -> None:
    rng = np.random.default_rng(1)
    columns = {
        "power_in": rng.uniform(0.01, 20, rows),
        "power_out": rng.uniform(0.01, 20_000, rows),
        "temp": rng.uniform(-40, 85, rows),
        "n_eff": rng.uniform(1, 2, rows),
    }
    schema = _schema("float64")
    print(f"\n{rows:,} rows, five expressions, units converted by both\n")
    print("| expression | ours, CPU s | numpy, CPU s | ours / numpy |\n|---|---|---|---|")
    rules = [Rule(id=f"r{i}", expr=text, severity="block") for i, text in enumerate(EXPRESSIONS)]
    for rule, by_hand in zip(rules, EXPRESSIONS.values(), strict=True):
        differ = np.count_nonzero(holds(rule, schema, columns) != by_hand(columns))
        if differ > rows * 1e-5:  # rounding may put a value on the other side of an edge
            raise RuntimeError(f"{rule.expr}: {differ} rows differ")
        print(_row(f"`{rule.expr}`", lambda r=rule: holds(r, schema, columns), lambda f=by_hand: f(columns), runs))
    narrow, stored = _schema("float32"), {name: column.astype(np.float32) for name, column in columns.items()}
    for name, described, table in (("all five", schema, columns), ("all five, stored as float32", narrow, stored)):
        ours = partial(_all_hold, rules, described, table)
        print(_row(name, ours, lambda c=table: [by_hand(c) for by_hand in EXPRESSIONS.values()], runs))


def _all_hold(rules: Sequence[Rule], schema: Schema, columns: Columns) -> list[object]:
    return [holds(rule, schema, columns) for rule in rules]


def _schema(dtype: Literal["float32", "float64"]) -> Schema:
    units = {"power_in": "mW", "power_out": "uW", "temp": "degC", "n_eff": "dimensionless"}
    dimensions = {"power_in": "[M][L]^2[T]^-3", "power_out": "[M][L]^2[T]^-3", "temp": "[Θ]", "n_eff": "1"}
    fields = (Field(name=n, role="content", dtype=dtype, unit=units[n], dimension=dimensions[n]) for n in units)
    return Schema(modality="tabular", fields=tuple(fields))


def _row(name: str, ours: Work, theirs: Work, runs: int) -> str:
    """Medians of runs that take turns after one that is not counted, with the smallest and the largest in brackets."""
    both = [(_seconds(ours), _seconds(theirs)) for _ in range(runs + 1)][1:]
    columns = [list(column) for column in zip(*both, strict=True)]
    ratios = [own / other for own, other in both]
    return f"| {name} | {_spread(columns[0])} | {_spread(columns[1])} | {_spread(ratios)} |"


def _seconds(work: Work) -> float:
    before = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        work()
    return time.process_time() - before


def _spread(values: list[float]) -> str:
    return f"{float(np.median(values)):.3f} ({min(values):.3f} to {max(values):.3f})"


def _prdc(x: Array, y: Array) -> Work:
    from prdc import compute_prdc

    return lambda: compute_prdc(x, y, NEIGHBOURS)


def _torch_fid(x: Array, y: Array) -> Work:
    from torchmetrics.image.fid import FrechetInceptionDistance

    def work() -> object:
        metric = FrechetInceptionDistance(feature=_features_as_they_are(), normalize=True, input_img_size=(1, 16, 16))
        return _filled(metric.set_dtype(_double()), x, y)

    return work


def _torch_kid(x: Array, y: Array) -> Work:
    from torchmetrics.image.kid import KernelInceptionDistance

    def work() -> object:
        size = min(1000, len(x))
        return _filled(KernelInceptionDistance(feature=_features_as_they_are(), subsets=100, subset_size=size), x, y)

    return work


def _filled(metric: object, x: Array, y: Array) -> object:
    import torch

    metric.normalize = False  # type: ignore[attr-defined]
    for real, z in ((True, x), (False, y)):
        metric.update(torch.from_numpy(z.reshape(len(z), 1, 16, 16)), real=real)  # type: ignore[attr-defined]
    return metric.compute()  # type: ignore[attr-defined]


def _features_as_they_are() -> object:
    import torch

    class Features(torch.nn.Module):
        num_features = DIMENSIONS

        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return z.double().flatten(1)

    return Features()


def _double() -> object:
    import torch

    return torch.float64


if __name__ == "__main__":
    main()
