"""`synthspec audit --shadows`: what shadow engines tell of the most isolated records, in the words of an audit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from synthspec.cli.answer import Format, show_findings, usage
from synthspec.ir.figures import ASKED_LEAST, SHADOWS_ENOUGH, SHADOWS_LEAST, SHADOWS_MOST

if TYPE_CHECKING:
    from synthspec.execute import NodeRun
    from synthspec.ir.plan import Plan
    from synthspec.metrics.membership.lira import Told
    from synthspec.pipeline.shadow_graph import Asked
    from synthspec.pipeline.shadowing import ShadowAudit

_NOTE = (
    "of engines of this spec that learned half of the records, and of this attack: evidence, never a guarantee; "
    "the engine of a run learns all of them"
)
_PRIVATE = "restricted: these figures are of private records; the engines are in the store, and nothing is released"


def check_shadows(shadows: int | None, targets: int | None, canaries: int | None) -> None:
    """Exit 2 for options that no attack can be made by."""
    if shadows is None:
        if targets is not None:
            raise usage("--targets is for --shadows: canaries alone have no targets")
        return
    if shadows % 2 or not SHADOWS_LEAST <= shadows <= SHADOWS_MOST:
        raise usage(
            f"--shadows {shadows}: engines come in pairs that share the records between them, "
            f"so take an even number of {SHADOWS_LEAST} to {SHADOWS_MOST}; {SHADOWS_ENOUGH} or more are believed"
        )
    if canaries and canaries < ASKED_LEAST:
        raise usage(f"--canaries {canaries}: a rate of fewer than {ASKED_LEAST} says nothing; take more, or none")


def answer_shadows(
    plan: Plan, asked: Asked, root: Path, store: Path, workers: int, form: Format, *, quiet: bool
) -> tuple[str, ...]:
    """Attack, tell what came of it, and give the defects; exit 1 with the reasons where nothing could be attacked."""
    from synthspec.cli.auditing import show_facts
    from synthspec.pipeline.shadowing import Where, audit_shadows
    from synthspec.report.progress import progress_for
    from synthspec.store import StoreError

    progress = progress_for(sys.stderr, quiet=quiet)

    def heard(node: NodeRun) -> None:
        if not quiet:
            typer.echo(node.line, err=True)

    where = Where(store=store, root=root, progress=progress, workers=workers, on_node=heard)
    try:
        found = audit_shadows(plan, asked, where)
    except StoreError as error:
        raise usage(f"{error}{f' ({error.help})' if error.help else ''}") from None
    finally:
        progress.close()
    if found.value is None:
        show_findings(found.diagnostics, 1, form)
        raise typer.Exit(1)
    show_facts(_facts(found.value), form)
    return found.value.defects


def _facts(found: ShadowAudit) -> dict[str, object]:
    return {
        **_claimed(found),
        "method": "LiRA: Carlini et al. 2022, each engine by those of the other pairs",
        "score": found.how,
        "shadows": found.shadows,
        "records": found.asked.records,
        "targets": found.asked.isolated,
        **_rates("", found.isolated),
        **({"canaries": found.asked.planted} if found.planted is not None else {}),
        **(_rates("canary_", found.planted) if found.planted is not None else {}),
        "confidence": 0.95,
        "interval": "bootstrap over records and pairs of engines",
        **({} if found.mi_max is None else {"mi_max": found.mi_max}),
        "defects": list(found.defects),
        "verdict": _verdict(found),
        **({} if found.claim is None else {"disclosure": _PRIVATE}),
        "note": _NOTE if found.shadows >= SHADOWS_ENOUGH else f"fewer than {SHADOWS_ENOUGH} engines; {_NOTE}",
    }


def _verdict(found: ShadowAudit) -> str:
    if found.defects:
        return "defect"
    if found.isolated.auc.lower > 0.5:
        return "members are told"
    return "canaries are told" if found.planted is not None and found.planted.auc.lower > 0.5 else "nothing found"


def _claimed(found: ShadowAudit) -> dict[str, object]:
    """The claim of a mechanism beside what was shown, and what it allows."""
    claim = found.claim
    if claim is None:
        return {}
    return {
        "eps_claimed": claim.eps if claim.eps < float("inf") else "inf",
        "delta": claim.delta,
        "eps_lower_bound": claim.lower,
        "guesses": claim.guesses.guesses,
        "correct": claim.guesses.correct,
        "auc_allowed": claim.allowed.auc,
        "advantage_allowed": claim.allowed.advantage,
        "tpr_at_1pct_fpr_allowed": claim.allowed.hits(0.01),
        "tpr_at_01pct_fpr_allowed": claim.allowed.hits(0.001),
    }


def _rates(prefix: str, told: Told) -> dict[str, object]:
    """Each figure with its interval; a rate that too few decisions were made for says so."""
    named = {
        "auc": told.auc,
        "advantage": told.advantage,
        "tpr_at_1pct_fpr": told.tpr_at_1pct,
        "tpr_at_01pct_fpr": told.tpr_at_01pct,
    }
    facts: dict[str, object] = {f"{prefix}decisions": told.auc.n}
    for name, rate in named.items():
        if rate is None:
            facts[f"{prefix}{name}"] = "fewer than 1000 decisions on records that were not learned"
            continue
        facts |= {
            f"{prefix}{name}": rate.value,
            f"{prefix}{name}_lower": rate.lower,
            f"{prefix}{name}_upper": rate.upper,
        }
    return facts
