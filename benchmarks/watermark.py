"""The keyed mark on the examples: whether it shows, how often it is seen where there is none, and what it does to columns.

Each example is run twice by `synthspec run` with one store, so that its engine is trained once: marked, and unmarked from
another seed. Files are read and tested as `synthspec watermark detect` does. Real records are those that the run binds.

    python -m benchmarks.watermark [--examples fiber-link-flow] [--keys 300]
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.tabular import Quiet
from synthspec.backend.artifacts import DATA
from synthspec.backend.dataset import Dataset, read_dataset
from synthspec.backend.protocol import Context
from synthspec.execute import CORE
from synthspec.execute.core.loose import read_released
from synthspec.execute.core.mark import groups
from synthspec.ir.plan import Plan, read_plan
from synthspec.ir.schema import Field, Schema
from synthspec.metrics.psi import Bins, index, null_quantile
from synthspec.metrics.request import Field as Column
from synthspec.watermark import key_path, read_key
from synthspec.watermark.selection import canonical, detect, scores, select

HERE = Path(__file__).parent.parent / "examples"
EXAMPLES = ("digits-diffusion", "cancer-dp-vae", "fiber-link-flow")
CANDIDATES = 2
LEVELS = (0.05, 0.01)
ALPHA = 1e-6
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One example: its records with the mark, without it (twice as many), and the real ones."""

    name: str
    schema: Schema
    marked: Dataset
    unmarked: Dataset
    real: Dataset
    key: bytes


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print three tables in markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watermark", description=__doc__.splitlines()[0])
    parser.add_argument("--ours", default=str(Path(sys.executable).with_name("synthspec")), help="the synthspec")
    parser.add_argument("--examples", nargs="+", choices=EXAMPLES, default=EXAMPLES)
    parser.add_argument("--n", type=int, default=500, help="marked records (default: 500)")
    parser.add_argument("--keys", type=int, default=300, help="keys of false alarms (default: 300)")
    parser.add_argument("--work", type=Path, help="a folder to work in and keep; runs that are there are not repeated")
    options = parser.parse_args(arguments)
    print(f"{platform.system()} {platform.machine()}, Python {platform.python_version()}\n")
    with tempfile.TemporaryDirectory() as scratch:
        place = (options.work or Path(scratch)).absolute()
        place.mkdir(parents=True, exist_ok=True)
        os.environ["SYNTHSPEC_CONFIG_DIR"] = str(place / "config")
        os.environ["SYNTHSPEC_STATE_DIR"] = str(place / "state")
        trials = [_trial(place, options.ours, name, options.n) for name in options.examples]
        for head, rows in TABLES:
            print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
            for trial in trials:
                for row in rows(trial, options.keys):
                    print(f"| {trial.name} | {row} |", flush=True)
            print()


def _trial(place: Path, program: str, name: str, n: int) -> Trial:
    """Run the example `name` marked and unmarked, and read what came of it."""
    size, twice = f"sampling.n={n}", f"sampling.n={CANDIDATES * n}"
    mark = f"release.watermark={{method: selection, candidates: {CANDIDATES}}}"
    marked = _run(place, program, name, "marked", (size, mark))
    plain = _run(place, program, name, "unmarked", (twice, "sampling.seed=20261123"))
    plan = read_plan((marked / "plan.json").read_bytes())
    schema = next(node.op.schema for node in plan.nodes if node.op.op == "mark")
    key = read_key(key_path(Path(os.environ["SYNTHSPEC_CONFIG_DIR"]) / "watermark", "default"))
    return Trial(
        name=name,
        schema=schema,
        marked=read_released(_samples(marked), schema),
        unmarked=read_released(_samples(plain), schema),
        real=_real(name, plan),
        key=key,
    )


def _run(place: Path, program: str, name: str, what: str, changes: Sequence[str]) -> Path:
    out = place / name / what
    words = [program, "run", str(HERE / name / "spec.yaml"), "--store", str(place / "store"), "--out", str(out)]
    words += ["--secret", str(place / f"{name}.secret")] if "dp" in name else []
    words += [word for change in changes for word in ("--set", change)]
    if (out / "manifest.json").exists():
        return out
    print(f"running {name}, {what}", file=sys.stderr, flush=True)
    done = subprocess.run([*words, "--quiet"], check=False, capture_output=True, text=True, cwd=place)
    if not (out / "manifest.json").exists():
        raise SystemExit(done.stdout + done.stderr)
    return out


def _samples(run: Path) -> Path:
    return next(path for path in run.glob("samples.*") if path.suffix in {".csv", ".npz"})


def _real(name: str, plan: Plan) -> Dataset:
    bind = next(node.op for node in plan.nodes if node.op.op == "bind")
    with tempfile.TemporaryDirectory() as out:
        CORE.kernels()["bind"](bind, {}, Context(out=Path(out), root=HERE / name, workers=1, progress=Quiet()))
        return read_dataset(Path(out) / DATA)


def _shown(trial: Trial, _: int) -> Iterator[str]:
    found = detect(trial.key, canonical(trial.schema, trial.marked), CANDIDATES, ALPHA)
    yield f"{found.records:,} | {found.distinct:,} | {found.z:.1f} | {found.expected_z:.1f} | {found.p:.1e}"


def _alarms(trial: Trial, keys: int) -> Iterator[str]:
    n = len(trial.marked)
    for what, data in (
        ("real, all", trial.real),
        ("real, the first", trial.real.take(np.arange(min(n, len(trial.real))))),
        ("unmarked", trial.unmarked.take(np.arange(n))),
        ("marked by another key", trial.marked),
    ):
        records = canonical(trial.schema, data)
        p = np.array([detect(key, records, CANDIDATES, ALPHA).p for key in _keys(keys)])
        shares = " | ".join(_share(int((p < level).sum()), keys) for level in LEVELS)
        uniform = stats.kstest(p, "uniform").pvalue
        yield f"{what} | {len(records):,} | {shares} | {p.min():.1e} | {uniform:.2f} | {int((p < ALPHA).sum())}"


def _keys(count: int) -> list[bytes]:
    """Keys that marked nothing here, the same in every run."""
    return [f"benchmark key {number}".encode().ljust(32, b"\0") for number in range(count)]


def _share(hits: int, of: int) -> str:
    held = stats.binomtest(hits, of).proportion_ci(0.95, "exact")
    return f"{hits / of:.3f} ({held.low:.3f} to {held.high:.3f})"


def _moved(trial: Trial, keys: int) -> Iterator[str]:
    real, marked, plain = (_columns(trial.schema, data) for data in (trial.real, trial.marked, trial.unmarked))
    bins = [Bins.of(column, real[:, i]) for i, column in enumerate(_named(trial.schema))]
    made, pool = (np.column_stack([each.codes(data[:, i]) for i, each in enumerate(bins)]) for data in (marked, plain))
    psi = _psi(bins, made, pool)
    share, counts = 1 / len(made) + 1 / len(pool), [each.count for each in bins]
    equal = share * float(np.mean([count - 1 for count in counts]))
    point = null_quantile(counts, len(made), len(pool))
    keyed, drawn = _selected(trial, bins, pool, keys)
    yield (
        f"{len(bins)} | {psi.max():.4f} | {point:.4f} | {psi.mean():.4f} | {equal:.4f} | "
        f"{stats.ks_2samp(keyed, drawn).pvalue:.2f}"
    )


def _selected(trial: Trial, bins: Sequence[Bins], pool: Values, keys: int) -> tuple[Values, Values]:
    """Mean PSI over columns of half the unmarked records beside all of them: chosen under each key, and by chance."""
    records = canonical(trial.schema, trial.unmarked)
    alike, rng = groups(trial.schema, trial.unmarked), np.random.default_rng(0)
    keyed = [select(scores(key, records), alike, CANDIDATES) for key in _keys(keys)]
    drawn = [select(rng.random(len(records)), alike, CANDIDATES) for _ in range(keys)]
    one, other = (np.array([_psi(bins, pool[each], pool).mean() for each in chosen]) for chosen in (keyed, drawn))
    return one, other


def _psi(bins: Sequence[Bins], one: Values, other: Values) -> Values:
    return np.array([index(one[:, i], other[:, i], each.count) for i, each in enumerate(bins)])


def _told(schema: Schema, data: Dataset) -> list[tuple[Field, Values]]:
    fields = [field for field in schema.fields if field.role in {"content", "condition"} and field.name in data.columns]
    return [(field, np.asarray(data[field.name], dtype=np.float64).reshape(len(data), -1)) for field in fields]


def _columns(schema: Schema, data: Dataset) -> Values:
    return np.column_stack([values for _, values in _told(schema, data)])


def _named(schema: Schema) -> list[Column]:
    fields = [field for field in schema.fields if field.role in {"content", "condition"}]
    return [Column(name=f"{field.name}.{i}", levels=len(field.enum)) for field in fields for i in range(field.size)]


TABLES: tuple[tuple[tuple[str, ...], Callable[[Trial, int], Iterator[str]]], ...] = (
    (("example", "records", "distinct", "z", "expected z", "p"), _shown),
    (("example", "records tested", "n", "p < 0.05", "p < 0.01", "least p", "KS p", "alarms at 1e-6"), _alarms),
    (
        (
            "example",
            "columns",
            "worst PSI",
            "95 % of equal laws",
            "mean PSI",
            "mean of equal laws",
            "keyed or by chance, KS p",
        ),
        _moved,
    ),
)

if __name__ == "__main__":
    main()
