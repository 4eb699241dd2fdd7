"""`synthspec measure`: two files of records and an SRef, whoever made them, to figures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import FORMAT, Format, existing_file, show_findings, usage

if TYPE_CHECKING:
    from synthspec.ir.evidence import Figure
    from synthspec.spec.evaluation import Features

SEED = typer.Option(0, min=0, help="Drives resamples, folds and cuts: the same seed gives the same figures.")


def measure(
    sref: Path = typer.Option(..., "--sref", help="What the records are."),
    real: Path = typer.Option(..., "--real", help="Real records that the engine has not seen: csv, npz or npy."),
    syn: list[Path] = typer.Option(
        ..., "--syn", help="The records to judge. More files, of engines that differ in their seed alone, give u_model."
    ),
    names: str = typer.Option(..., "--metrics", metavar="NAME,...", help="Such as W1,MMD,detection_AUC."),
    train: Path | None = typer.Option(
        None, help="The real records the engine saw: for MI, memorisation, TRTR, scales."
    ),
    val: Path | None = typer.Option(None, help="More real records it has not seen: the non-members of MI."),
    target: str = typer.Option("", help="The field that TSTR and TRTR predict; without one, the condition class."),
    seed: int = SEED,
    features: str = typer.Option(
        "embedded", help="inception, dinov2-vits14, -vitb14, -vitl14 or module, from --weights"
    ),
    weights: Path | None = typer.Option(None, help="The safetensors file of the features."),
    sha256: str | None = typer.Option(None, help="What that file must digest to."),
    entry: str | None = typer.Option(None, help="Of a module: its entry point in the group synthspec.features."),
    form: Format = FORMAT,
) -> None:
    """Measure synthetic records against real ones. Exit 1 when a figure could not be computed; it says why."""
    from synthspec.pipeline.measuring import Asked, measure_files

    asked = Asked(
        sref=existing_file(sref),
        real=existing_file(real),
        synthetic=tuple(existing_file(path) for path in syn),
        metrics=_known(names),
        train=None if train is None else existing_file(train),
        val=None if val is None else existing_file(val),
        target=target,
        seed=seed,
        features=_features(features, weights, sha256, entry),
    )
    found = measure_files(asked)
    if found.value is None:
        show_findings(found.diagnostics, 1, form)
        raise typer.Exit(2)
    _answer(found.value.figures, form)
    if not found.value.complete:
        raise typer.Exit(1)


def _features(name: str, weights: Path | None, sha256: str | None, entry: str | None) -> Features | None:
    """The features asked for, None for embedded ones; exit 2 for those that cannot be, or of which something is missing."""
    from pydantic import ValidationError

    from synthspec.spec.evaluation import Features

    given = {"--weights": weights, "--sha256": sha256, "--entry": entry}
    needed = [] if name == "embedded" else ["--weights", "--sha256", *(["--entry"] if name == "module" else [])]
    for option, value in given.items():
        if (value is None) == (option in needed):
            raise usage(f"{option}: the features {name} {'need it' if option in needed else 'have none'}")
    if name == "embedded":
        return None
    path = None if weights is None else str(existing_file(weights))
    try:
        return Features.model_validate({"name": name, "weights": path, "sha256": sha256, "entry": entry})
    except ValidationError as error:
        at = ".".join(map(str, error.errors()[0]["loc"]))
        option = {"name": "features"}.get(at, at)
        raise usage(f"--{option}: {error.errors()[0]['msg']}") from None


def _known(names: str) -> tuple[str, ...]:
    """The names asked for, each once; exit 2 for one that measures nothing of two files."""
    from synthspec.diag import did_you_mean
    from synthspec.metrics import METRICS

    asked = tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    timed = {"latency_ms_p99": "latency is timed while an engine runs: see synthspec run"}
    for name in asked:
        if name in timed:
            raise usage(f"{name}: {timed[name]}")
        if name not in METRICS:
            raise usage(f"{name} measures nothing of two files; {did_you_mean(name, METRICS)}")
    if not asked:
        raise usage("--metrics takes names, such as W1,MMD")
    return asked


def _answer(figures: tuple[Figure, ...], form: Format) -> None:
    if form is Format.json:
        import json

        from synthspec.ir.evidence import Evidence
        from synthspec.ir.manifest_evidence import from_evidence

        entries = [entry.canonical() for entry in from_evidence(Evidence(figures=figures))]
        typer.echo(json.dumps({"metrics": entries}, indent=2))
        return
    width = max(len(figure.name) for figure in figures)
    sys.stdout.write("".join(_line(figure, width) for figure in figures))


def _line(figure: Figure, width: int) -> str:
    if figure.value is None:
        return f"{figure.name:<{width}}  -  {figure.reason}\n"
    unit = "" if figure.unit == "1" else f" {figure.unit}"
    null = "" if figure.null is None else f"  null {figure.null:.4g}"
    inside = "" if figure.lower is None or figure.upper is None else f"  [{figure.lower:.4g}, {figure.upper:.4g}]"
    u = 0.0 if figure.u is None else figure.u
    sizes = ", ".join(
        f"{count} {kind}" for count, kind in ((figure.n_real, "real"), (figure.n_syn, "synthetic")) if count
    )
    return f"{figure.name:<{width}}  {figure.value:.4g} ± {u:.2g}{unit}{inside}{null}  ({sizes})  {figure.label}\n"
