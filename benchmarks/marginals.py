"""Adult from noisy statistics: detection and utility at a budget, by the judges of the other engines.

    python -m benchmarks.marginals --data adult.csv [--statistics marginals|mean_embedding] [--eps 2.6 --delta 1e-5]

The data are those of benchmarks/tabular.py. What is trained on, and what it is judged against, is that split, too.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.tabular import HERE, TARGET, Bench, _head, _line, _matrix, _plan
from synthspec.accounting import eps_total, gaussian_sigma
from synthspec.backend.artifacts import DATA
from synthspec.backend.cells import Cells
from synthspec.backend.dataset import Dataset, read_dataset, read_rows
from synthspec.backend.marginals import Marginals, fit_marginals
from synthspec.backend.matched import Matched, match_embedding
from synthspec.execute import CORE
from synthspec.ir.ops import Bind, Sample, Split
from synthspec.ir.statistics import MARGINALS, OFFERED, Kind, releases_of

SPLIT = "split.safetensors"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table in markdown, and the budget that was spent."""
    parser = argparse.ArgumentParser(prog="benchmarks.marginals", description=__doc__)
    parser.add_argument("--data", required=True, help="the CSV")
    parser.add_argument("--eps", type=float, default=2.6)
    parser.add_argument("--delta", type=float, default=1e-5)
    parser.add_argument("--statistics", choices=OFFERED, default=MARGINALS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), 1)
        for path in HERE.iterdir():
            shutil.copy(path, bench.folder)
        shutil.copy(options.data, bench.folder / "adult.csv")
        _measure(bench, options.statistics, options.eps, options.delta)


def _measure(bench: Bench, statistics: Kind, eps: float, delta: float) -> None:
    plan = _plan(bench.folder / "flow.yaml", ())
    ops = {node.op.op: node.op for node in plan.nodes if isinstance(node.op, Bind | Split | Sample)}
    data, _ = bench.run(ops["bind"], CORE, "data", {})
    split, _ = bench.run(ops["split"], CORE, "split", {"data": data})
    sample = ops["sample"]
    if not isinstance(sample, Sample):
        raise TypeError("a plan has one sample")
    schema = sample.fit.schema
    real, rows = read_dataset(data.path(DATA)), read_rows(split.path(SPLIT))
    known, held = real.take(np.sort(np.concatenate([rows.train, rows.val]))), real.take(rows.test)
    content = schema.with_role("content")
    cells = [Cells.of(field) for field in content]
    target = [field.name for field in content].index(TARGET)
    sigma, rng = gaussian_sigma(eps, delta), np.random.default_rng(0)
    begun = perf_counter()
    if statistics == MARGINALS:
        codes = [cell.codes(known[cell.name]) for cell in cells]
        model: Marginals | Matched = fit_marginals(cells, codes, sigma, target)
    else:
        model = match_embedding(cells, [known[cell.name] for cell in cells], sigma, target, rng)
    fitted = perf_counter() - begun
    begun = perf_counter()
    if isinstance(model, Matched):
        drawn = model.sample(len(held), rng)
    else:
        drawn = tuple(cell.values(code, rng) for cell, code in zip(cells, model.sample(len(held), rng), strict=True))
    made = Dataset({cell.name: column for cell, column in zip(cells, drawn, strict=True)})
    speed = len(held) / (perf_counter() - begun)
    spent = eps_total(model.event, delta, "analytic")
    print(f"eps {spent.eps} at delta {delta:g} ({spent.accountant}), {len(known)} records to learn from\n")
    _head()
    note = f"{fitted:.1f} / - | {releases_of(statistics)} | {speed:,.0f}"
    _line(schema, statistics, _matrix(schema, made), _matrix(schema, held), _matrix(schema, known), note)


if __name__ == "__main__":
    main()
