"""`synthspec calibrate`: a contracts block from the null of the real test split."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import FORMAT, OUTSIDE, QUIET, SET, Format, existing_file, overrides, show_findings, usage

if TYPE_CHECKING:
    from synthspec.pipeline.calibrating import Calibrated


def calibrate(
    spec: Path = typer.Argument(..., help="An EngineSpec; it may lack its contracts and thresholds."),
    cuts: int = typer.Option(39, min=1, max=10000, help="How often the test split is cut into halves."),
    confidence: float = typer.Option(0.95, help="How surely a half of the test split keeps all thresholds at once."),
    margin: float = typer.Option(0.10, min=0.0, help="Widens each threshold by this part of its size."),
    seed: int = typer.Option(0, min=0, help="Drives the cuts: the same seed gives the same block."),
    changes: list[str] | None = SET,
    allow_outside: bool = OUTSIDE,
    form: Format = FORMAT,
    quiet: bool = QUIET,
) -> None:
    """Print the thresholds that real records keep against real records, to be frozen before anything is generated."""
    from datetime import UTC, datetime

    from synthspec.pipeline.calibrating import Calibration, calibrate_spec
    from synthspec.pipeline.front import Options
    from synthspec.report.progress import progress_for

    if not 0.5 <= confidence < 1:
        raise usage(f"--confidence takes a number from 0.5 to below 1, not {confidence:g}")
    how = Calibration(cuts=cuts, confidence=confidence, margin=margin, seed=seed)
    today = datetime.now(UTC).date()
    options = Options(today=today, allow_outside=allow_outside, overrides=overrides(changes))
    progress = progress_for(sys.stderr, quiet=quiet)
    try:
        found = calibrate_spec(existing_file(spec), how, options, progress)
    finally:
        progress.close()
    if found.value is None:
        show_findings(found.diagnostics, 1, form)
        raise typer.Exit(1)
    if form is Format.json:
        show_findings(found.diagnostics, 1, form, **_facts(found.value))
        return
    typer.echo(contracts_block(found.value), nl=False)


def contracts_block(found: Calibrated) -> str:
    """The block as it goes into the spec, with where its numbers come from in comments."""
    how = found.calibration
    sizes = f"{found.n_real} real records against {found.n_syn} others"
    lines = [
        f"# Null: {how.cuts} cuts of the real test split, {sizes} (seed {how.seed}).",
        f"# Real records keep all of these with confidence {how.confidence:g}; each is {how.margin:.0%} wider than that.",
        "# Freeze them before anything is generated.",
        "contracts:",
    ]
    for name, limits in found.limits.items():
        shown = ", ".join(f"{symbol}: {_quantity(limit, found.units[symbol])}" for symbol, limit in limits.items())
        lines.append(f"  {name}: {{{shown}, tol_source: calibrated}}")
    lines += [f"# not calibrated: {symbol}: {why}" for symbol, why in found.left_out.items()]
    return "\n".join(lines) + "\n"


def _quantity(limit: float, unit: str) -> str:
    return f"{limit!r}" if unit == "1" else f"{limit!r} {unit}"


def _facts(found: Calibrated) -> dict[str, object]:
    how = found.calibration
    return {
        "contracts": {name: _limits(found, limits) for name, limits in found.limits.items()},
        "null": {
            "cuts": how.cuts,
            "confidence": how.confidence,
            "margin": how.margin,
            "seed": how.seed,
            "n_real": found.n_real,
            "n_syn": found.n_syn,
        },
        "left_out": dict(found.left_out),
    }


def _limits(found: Calibrated, limits: Mapping[str, float]) -> dict[str, object]:
    """The limits of one contract as a spec writes them: a number, or a quantity where the term has a unit."""
    units = {symbol: found.units[symbol] for symbol in limits}
    shown = {
        symbol: limit if units[symbol] == "1" else _quantity(limit, units[symbol]) for symbol, limit in limits.items()
    }
    return {**shown, "tol_source": "calibrated"}
