"""`synthspec audit`: canaries through the private training of a spec against its claim, or shadow engines of any spec."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import (
    FORMAT,
    OUTSIDE,
    QUIET,
    SET,
    Format,
    existing_file,
    overrides,
    show_findings,
    usage,
)
from synthspec.cli.running import STORE, WORKERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synthspec.ir.manifest_engine import AuditEvidence
    from synthspec.ir.plan import Plan
    from synthspec.pipeline.auditing import Audit

CANARIES = 2000
_FEWEST = 100
"""Canaries below which a training under a mechanism shows nothing."""
_NOTE = "evidence against a claim, never the guarantee: a defect that canaries do not meet stays unseen"


def audit(
    spec: Path = typer.Argument(..., help="The EngineSpec; without --shadows, of a training under a mechanism."),
    canaries: int | None = typer.Option(
        None,
        min=0,
        max=100_000,
        help=f"How many records are put in by a coin each: {CANARIES}; with --shadows, beside those of the data: none.",
    ),
    seed: int | None = typer.Option(
        None, min=0, help="Repeat a run; without one, coins and noise are nobody's. With --shadows, of the coins."
    ),
    shadows: int | None = typer.Option(
        None, metavar="N", help="Train N engines on random halves of the records and attack each by the others (LiRA)."
    ),
    targets: int | None = typer.Option(
        None,
        metavar="K",
        help="With --shadows: how many of the most isolated records; default 1 %, or up to 128 of few.",
    ),
    store: Path = STORE,
    workers: int = WORKERS,
    changes: list[str] | None = SET,
    allow_outside: bool = OUTSIDE,
    form: Format = FORMAT,
    quiet: bool = QUIET,
) -> None:
    """Audit a private training: replay, calibration, sampler, and a lower bound of eps. Exit 1 on a defect.

    With --shadows, of any spec: what its engines tell of the most isolated records, as 16 or more of them show.
    """
    from synthspec.cli.planning import plan_of
    from synthspec.cli.shadows import answer_shadows, check_shadows

    check_shadows(shadows, targets, canaries)
    if shadows is None and canaries is not None and canaries < _FEWEST:
        raise usage(f"--canaries {canaries}: fewer than {_FEWEST} show nothing of a mechanism")
    plan = plan_of(existing_file(spec), overrides(changes), allow_outside=allow_outside, form=form)
    if shadows is not None:
        from synthspec.pipeline.shadow_graph import Asked

        asked = Asked(shadows=shadows, targets=targets, planted=canaries or 0, seed=seed)
        defects = answer_shadows(plan, asked, spec.absolute().parent, store, workers, form, quiet=quiet)
    else:
        found = _audited(plan, CANARIES if canaries is None else canaries, seed, form)
        _answer(found, form)
        defects = found.defects
    if defects:
        raise typer.Exit(1)


def evidence(plan: Plan, form: Format, *, quiet: bool) -> AuditEvidence:
    """What an audit of the mechanism of `plan` says for its manifest, told on stderr unless `quiet`.

    Exit 1, with all of it, where it found a defect.
    """
    found = _audited(plan, CANARIES, None, form)
    if found.defects:
        _answer(found, form)
        raise typer.Exit(1)
    if not quiet:
        typer.echo(
            f"audit: no defect; {found.correct} of {found.guesses} guesses about {found.canaries} canaries came true, "
            f"which proves an eps of at least {found.lower:.4g} ({found.claimed:.15g} is claimed)",
            err=True,
        )
    return found.evidence()


def _audited(plan: Plan, canaries: int, seed: int | None, form: Format) -> Audit:
    from synthspec.pipeline.auditing import audit_plan

    found = audit_plan(plan, canaries, seed)
    if found.value is None:
        show_findings(found.diagnostics, 1, form)
        raise typer.Exit(1)
    return found.value


def _facts(found: Audit) -> dict[str, object]:
    return {
        "eps_claimed": found.claimed if found.claimed < float("inf") else "inf",
        "delta": found.delta,
        "eps_lower_bound": found.lower,
        "confidence": 0.95,
        "method": "Steinke, Nasr and Jagielski 2023, theorem 5.2",
        "canaries": found.canaries,
        "guesses": found.guesses,
        "correct": found.correct,
        "replay_ratio": found.run.replay_ratio,
        "replay_same_releases": found.run.replay_same,
        **{f"z_{name}": value for name, value in found.run.z},
        "defects": list(found.defects),
        "verdict": "defect" if found.defects else "nothing found",
        "note": _NOTE,
    }


def _answer(found: Audit, form: Format) -> None:
    show_facts(_facts(found), form)


def show_facts(facts: Mapping[str, object], form: Format) -> None:
    """Print `facts` by name, one a line or as one object."""
    if form is Format.json:
        import json

        typer.echo(json.dumps(facts, indent=2))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        shown = ("; ".join(value) or "none") if isinstance(value, list) else value
        digits = 15 if name in ("eps_claimed", "delta") else 4  # a claim that is rounded down is another claim
        typer.echo(f"{name:<{width}}  {f'{shown:.{digits}g}' if isinstance(shown, float) else shown}")
