"""I40-5, measure_gen_metrics: figures with their uncertainty, null and estimator (M40-5.7, Ch. 12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthspec.backend.artifacts import FIGURES, read_figures
from synthspec.bindings.data import Data
from synthspec.bindings.engine import made
from synthspec.bindings.faults import refused, value_of
from synthspec.bindings.sampling import Samples
from synthspec.ir.evidence import Figure

_ATTACK = {"members": "train", "non_members": "val"}


@dataclass(frozen=True, slots=True)
class GenReport(Mapping[str, Figure]):
    """Figures by the name of their metric; each says its value, u, bounds, n, null, and why it has none (P405-9)."""

    figures: tuple[Figure, ...]

    def __getitem__(self, name: str) -> Figure:
        for figure in self.figures:
            if figure.name == name:
                return figure
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (figure.name for figure in self.figures)

    def __len__(self) -> int:
        return len(self.figures)


def measure_gen_metrics(
    real: Data | str | Path,
    syn: Samples | str | Path,
    metrics: Sequence[str],
    *,
    sref: str | Path | None = None,
    target: str | None = None,
    seed: int = 0,
) -> GenReport:
    """Measure `syn` against `real` by each of `metrics`: FID, KID, W1, covg, MI, bpd, ... (section VI, Ch. 12).

    Where `real` is what the engine of `syn` was fitted on, its test split is the reference, its training split plays the
    members of MI and its validation split the non-members (P405-9); the figures of the engine itself come along, and the
    rows of P405-7; of an accelerated engine also those of the engines it was made from (``teacher.FID``) and the
    differences (P405-10). Otherwise `real` is taken whole, as records that no engine has seen, and only records are compared.
    `target` is the content field that TSTR and TRTR predict; `sref` is asked for where neither side brings one; `seed` is
    of the estimators between files.

    A metric that the records do not allow has a figure without a value, which says why. Raises BindingError for unknown
    metrics, and for files that cannot be read.
    """
    if isinstance(syn, Samples) and isinstance(real, Data) and real == syn.engine.ds:
        return _of_the_engine(syn, metrics, target)
    return _between_files(real, syn, metrics, sref, target, seed)


def _of_the_engine(syn: Samples, metrics: Sequence[str], target: str | None) -> GenReport:
    told = {"reference": "test", "metrics": tuple(metrics), "membership_attack": _ATTACK}
    evaluation = told if target is None else {**told, "target": target}
    engine = syn.engine
    part, folders = made(
        syn.spec.with_(evaluation=evaluation),
        "figures",
        engine.ds,
        "measure_gen_metrics",
        workers=syn.workers,
        secret=engine.secret,
    )
    evidence = (name for name in ("measure", "compare") if name in part.nodes)
    return GenReport(tuple(figure for name in evidence for figure in read_figures(folders[name] / FIGURES)))


def _between_files(
    real: Data | str | Path,
    syn: Samples | str | Path,
    metrics: Sequence[str],
    sref: str | Path | None,
    target: str | None,
    seed: int,
) -> GenReport:
    from synthspec.pipeline.measuring import Asked, measure_files

    schema = sref or (real.sref if isinstance(real, Data) else syn.engine.ds.sref if isinstance(syn, Samples) else None)
    if schema is None:
        raise refused(
            "schema.missing-key", "two files say nothing of their fields", "name the SRef: sref='marks-sref.yaml'"
        )
    unknown = [name for name in metrics if name not in _known()]
    if unknown:
        from synthspec.diag import did_you_mean

        raise refused("schema.bad-value", f"{unknown[0]!r} is no metric", did_you_mean(unknown[0], _known()))
    asked = Asked(
        sref=Path(schema),
        real=_file(real),
        synthetic=(_file(syn),),
        metrics=tuple(metrics),
        target=target or "",
        seed=seed,
    )
    return GenReport(value_of(measure_files(asked)).figures)


def _known() -> tuple[str, ...]:
    from typing import get_args

    from synthspec.spec.evaluation import MetricName

    return get_args(MetricName)


def _file(side: Data | Samples | str | Path) -> Path:
    if isinstance(side, Samples):
        return next(file for file in side.files if file.suffix != ".png")
    if not isinstance(side, Data):
        return Path(side)
    if side.path is None:
        message = f"{side.source} is no file of records"
        raise refused("schema.wrong-type", message, "measure samples of an engine that was fitted on it")
    return side.path
