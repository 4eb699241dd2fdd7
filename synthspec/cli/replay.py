"""`synthspec replay`: run a signed plan again in a fresh store and grade what comes out."""

from __future__ import annotations

import math
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import FORMAT, QUIET, Format, show_findings, usage
from synthspec.cli.running import BATCH, WORKERS, check_batch, check_secret
from synthspec.cli.verified import verified

if TYPE_CHECKING:
    from synthspec.ir.manifest import Manifest
    from synthspec.ir.plan import Plan
    from synthspec.pipeline.agreement import Gap
    from synthspec.pipeline.grading import Stand
    from synthspec.pipeline.replaying import Comparison, Replay


class Accepted(str, Enum):
    """The worst grade that is exit 0."""

    bitwise = "bitwise"
    numeric = "numeric"
    statistical = "statistical"


def replay(
    manifest: Path = typer.Argument(..., help="manifest.sigstore.json, or the folder of a run."),
    base: Path = typer.Option(Path(), help="Where the relative paths of the plan start: the spec's folder."),
    key: list[Path] | None = typer.Option(None, "--key", help="A public key (PEM) to trust beside your own."),
    workers: int = WORKERS,
    batch: int | None = BATCH,
    secret: Path | None = typer.Option(
        None,
        metavar="FILE",
        help="The file that 'run --secret' kept: the noise of a privacy mechanism is made of it again.",
    ),
    accept: Accepted = typer.Option(Accepted.bitwise, help="The worst grade that is exit 0."),
    tolerance: float = typer.Option(
        1e-4, min=0.0, max=1.0, help="How far a number may be off for 'numeric', in units of the range of its array."
    ),
    form: Format = FORMAT,
    quiet: bool = QUIET,
) -> None:
    """Verify, run the plan again from nothing, and grade weights and samples.

    bitwise: the same bytes, in the same environment. numeric: every number within the tolerance, all else equal, and the
    same bytes in another environment. statistical: every figure that a contract is judged by lies in its signed interval,
    and every contract comes out as signed. Else: differs.
    """
    from synthspec.ir.plan import read_plan
    from synthspec.pipeline.contents import PLAN
    from synthspec.pipeline.grading import GRADES
    from synthspec.pipeline.replaying import replay_plan
    from synthspec.pipeline.running import KeyRefused, RunOptions
    from synthspec.report.progress import progress_for

    if not manifest.exists():
        raise usage(f"{manifest}: no such file or folder")
    folder = manifest if manifest.is_dir() else manifest.parent
    said, _ = verified(manifest, key, "replay")
    plan = read_plan((folder / PLAN).read_bytes())
    check_secret(secret, plan, folder)
    check_batch(batch, plan)
    if said.privacy.mechanism != "none":
        _check_secret(said, plan, secret)
    options = RunOptions(store=folder, out=folder, base=base.absolute(), workers=workers, batch=batch, secret=secret)
    progress = progress_for(sys.stderr, quiet=quiet)
    try:
        done = replay_plan(said, folder, options, progress, tolerance)
    except KeyRefused as error:
        raise usage(str(error)) from None
    finally:
        progress.close()
    if done.value is None:
        show_findings(done.diagnostics, 1, form)
        raise typer.Exit(1)
    _answer(done.value, form)
    if GRADES.index(done.value.grade) > GRADES.index(accept.value):
        raise typer.Exit(1)


def _check_secret(said: Manifest, plan: Plan, secret: Path | None) -> None:
    """Exit 2 unless `secret` is what the noise of the run was made of."""
    from synthspec.pipeline.replaying import unopened

    if secret is None or not secret.exists():
        raise usage("the training had a privacy mechanism: only who holds its secret can replay it (--secret FILE)")
    if reason := unopened(said, plan, secret):
        raise usage(f"--secret: {reason}")


def _answer(found: Replay, form: Format) -> None:
    if form is Format.json:
        _json(found)
        return
    for file in (*found.files, *found.inputs):
        read = "" if file in found.files else "  (read)"
        typer.echo(f"{'same   ' if file.same else 'DIFFERS'}  {file.name}  {file.now[:16]}{read}{_apart(file)}")
    if found.grade in ("statistical", "differs"):
        for figure in found.figures:
            typer.echo(_figure(figure))
        for change in found.turned:
            typer.echo(f"contract {change}")
    for fact, then, now in found.environment:
        typer.echo(f"environment {fact}: {then} then, {now} now")
    typer.echo(f"replay: {found.grade}{_held(found)}")


def _held(found: Replay) -> str:
    """What holds of a replay that is numeric."""
    if found.grade != "numeric":
        return ""
    if not found.equal:
        return f" (tolerance {found.tolerance:g} of the range)"
    count = len(found.environment)
    facts = "1 fact of the environment differs" if count == 1 else f"{count} facts of the environment differ"
    return f" (every byte is equal; not bitwise, as {facts}: --accept numeric takes it)"


def _apart(file: Comparison) -> str:
    gap = file.gap
    if gap is None:
        return ""
    if gap.reason:
        return f"  {gap.reason}"
    at = f" in {gap.where}" if gap.where else ""
    return f"  numbers differ by at most {gap.absolute:.3g}, {gap.relative:.3g} of the range{at}"


def _figure(figure: Stand) -> str:
    then, now = ("none" if value is None else f"{value:.6g}" for value in (figure.then, figure.now))
    how = "timed  " if figure.timed else ("within " if figure.within else "OUTSIDE")
    return f"{how}  {figure.name}  {now} in [{figure.lower:.6g}, {figure.upper:.6g}], {then} then"


def _json(found: Replay) -> None:
    changed = [{"fact": fact, "then": then, "now": now} for fact, then, now in found.environment]
    figures = [
        {"name": each.name, "within": each.within, "timed": each.timed, "then": each.then, "now": each.now}
        | {"lower": _finite(each.lower), "upper": _finite(each.upper)}
        for each in found.figures
    ]
    show_findings(
        (),
        1,
        Format.json,
        grade=found.grade,
        bytes_equal=found.equal,
        tolerance=found.tolerance,
        results=_listed(found.files),
        inputs=_listed(found.inputs),
        figures=figures,
        contracts_changed=list(found.turned),
        environment=changed,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _listed(files: tuple[Comparison, ...]) -> list[dict[str, object]]:
    return [
        {"name": file.name, "same": file.same, "then": file.then, "now": file.now}
        | ({} if file.gap is None else {"gap": _gap(file.gap)})
        for file in files
    ]


def _gap(gap: Gap) -> dict[str, object]:
    return {
        "absolute": _finite(gap.absolute),
        "relative": _finite(gap.relative),
        "where": gap.where,
        "reason": gap.reason,
    }
