"""M40-5.6: what of a sample may be kept: content within the schema, rules held, no near copies, as many as asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthspec.backend.artifacts import DATA, ENFORCE_REPORT, SPLIT, EnforceReport, RuleCount, write_report
from synthspec.backend.dataset import Column, Dataset, read_dataset, read_rows, write_dataset
from synthspec.backend.protocol import Artifact, Context, DataError, Shortfall
from synthspec.execute.core.content import allowed
from synthspec.execute.core.expressions import check_dimensions, derive, excess, holds
from synthspec.execute.core.fresh_keys import with_key
from synthspec.execute.core.near_copies import near_copies
from synthspec.execute.core.project import project
from synthspec.execute.core.seats import fill_seats
from synthspec.ir.drawing import candidates_for
from synthspec.ir.evidence import Scalar
from synthspec.ir.ops import Enforce
from synthspec.ir.schema import Schema

WORST = 10
"""How many records a count names."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found out about the candidates: which break a blocking rule, which are near copies, and the counts."""

    sound: Mask
    copies: Mask
    counts: tuple[RuleCount, ...]


def enforce(op: Enforce, inputs: Mapping[str, Artifact], context: Context) -> None:
    """Write ``data.safetensors`` with the kept records and ``enforce.json``.

    Raises Shortfall when fewer than n candidates pass and more may be drawn, DataError (`P405-2.too-few-accepted`) when not,
    saying what turned the others down.
    """
    data = read_dataset(inputs["data"].path(DATA))
    training = data.take(read_rows(inputs["split"].path(SPLIT)).train)
    candidates = Dataset(derive(op.schema, read_dataset(inputs["samples"].path(DATA)).columns))
    cost: tuple[tuple[str, Scalar], ...] = ()
    if op.max_cost is not None:
        moved = project(op.schema, candidates, op.max_cost)
        candidates, cost = Dataset(derive(op.schema, moved.data.columns)), moved.facts
    verdict = examine(op, candidates, training)
    kept = choose(op, candidates, verdict)
    write_dataset(context.out, with_key(op.schema, candidates.take(kept)))
    write_report(context.out, ENFORCE_REPORT, _report(op, verdict, kept, data, candidates.take(kept), cost))


def examine(op: Enforce, candidates: Dataset, training: Dataset) -> Verdict:
    """Check every candidate against fields, rules and the training records."""
    counts: list[RuleCount] = []
    sound = np.ones(len(candidates), bool)
    for name, severity, kept in _checks(op.schema, candidates.columns):
        counts.append(_count(op.schema, name, severity, kept, candidates.columns))
        if severity == "block" and kept is not None:
            sound &= kept
    screen = op.near_copies
    copies = np.zeros(len(candidates), bool)
    if screen is not None:
        copies = near_copies(op.schema, candidates.columns, training.columns, screen.tau_nn)
    return Verdict(sound, copies, tuple(counts))


def _checks(schema: Schema, columns: Mapping[str, Column]) -> list[tuple[str, str, Mask | None]]:
    """(id, severity, which records keep it) of the content of each field and of each rule; None: could not be asked."""
    fields = [(f"field.{f.name}", "block", allowed(f, columns[f.name])) for f in schema.fields if f.name in columns]
    return fields + [(rule.id, rule.severity, holds(rule, schema, columns)) for rule in schema.rules]


def _count(schema: Schema, name: str, severity: str, kept: Mask | None, columns: Mapping[str, Column]) -> RuleCount:
    if kept is None:
        return RuleCount(id=name, severity=severity, checked=0, violations=0)
    broken = np.flatnonzero(~kept)
    beyond = (
        next((excess(rule, schema, columns) for rule in schema.rules if rule.id == name), None) if len(broken) else None
    )
    if beyond is None:
        worst = tuple(broken[:WORST].tolist())
        return RuleCount(id=name, severity=severity, checked=len(kept), violations=len(broken), worst=worst)
    amounts, unit = beyond
    order = broken[np.argsort(-amounts[broken], kind="stable")][:WORST]
    return RuleCount(
        id=name,
        severity=severity,
        checked=len(kept),
        violations=len(broken),
        worst=tuple(order.tolist()),
        excess=tuple(amounts[order].tolist()) if np.isfinite(amounts[order]).all() else (),
        unit=unit,
    )


def rule_counts(schema: Schema, columns: Mapping[str, Column]) -> tuple[RuleCount, ...]:
    """How often each rule of `schema` is violated in `columns`, and where worst (P405-7)."""
    return tuple(
        _count(schema, name, severity, kept, columns)
        for name, severity, kept in _checks(schema, columns)
        if not name.startswith("field.")
    )


def choose(op: Enforce, candidates: Dataset, verdict: Verdict) -> NDArray[np.int64]:
    """The candidates to keep, at most n, in the order of their seats.

    Near copies under `remove` leave their seat empty; whatever else is turned down is replaced from the reserve.
    """
    action = op.near_copies.action if op.near_copies else "report"
    refused = ~verdict.sound if action == "report" else ~verdict.sound | verdict.copies
    given_up = verdict.sound & verdict.copies if action == "remove" else np.zeros(len(refused), bool)
    requested = [
        candidates[field.name] for field in op.schema.with_role("condition") if field.name in candidates.columns
    ]
    seats = fill_seats(op.n, ~refused, given_up, requested)
    short = len(candidates) < op.n or bool((seats < 0).any())
    if short or not len(seats):
        drawn, accepted = len(candidates), int((~refused).sum())
        fault = _too_few(op, verdict, accepted)
        raise Shortfall(candidates_for(op.n, drawn, accepted, op.most), fault) if short and drawn < op.most else fault
    return seats


def _too_few(op: Enforce, verdict: Verdict, accepted: int) -> DataError:
    blame = [
        f"{count.id} turned down {count.violations}"
        for count in verdict.counts
        if count.violations and count.severity == "block"
    ]
    if verdict.copies.any():
        blame.append(f"{int(verdict.copies.sum())} are near copies of training records")
    why = "; ".join(blame) or "too few were drawn"
    return DataError(
        "P405-2.too-few-accepted",
        f"{accepted} of {len(verdict.sound)} candidates were accepted, but sampling.n asks for {op.n} ({why})",
        "raise conditioning.rejection.max_attempts, ask for fewer records, train longer, or loosen what turns them down",
    )


def _report(
    op: Enforce,
    verdict: Verdict,
    kept: NDArray[np.int64],
    data: Dataset,
    published: Dataset,
    cost: tuple[tuple[str, Scalar], ...],
) -> EnforceReport:
    """The report, with what the same rules say of the reference data and of what is published (P405-7)."""
    refused = verdict.copies if op.near_copies and op.near_copies.action != "report" else np.zeros_like(verdict.copies)
    drawn, accepted = len(verdict.sound), int((verdict.sound & ~refused).sum())
    return EnforceReport(
        candidates=drawn,
        accepted=accepted,
        kept=len(kept),
        near_copies=int(verdict.copies.sum()),
        rules=verdict.counts,
        reference=rule_counts(op.schema, data.columns),
        published=rule_counts(op.schema, published.columns),
        dim_checks=check_dimensions(op.schema),
        facts=(
            ("acc_rate", accepted / drawn),
            ("attempts", drawn / op.n),
            ("replaced", int((kept >= op.n).sum())),
            *cost,
        ),
    )
