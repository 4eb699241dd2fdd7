"""The first section: the gate, and what became of every promise."""

from __future__ import annotations

from collections.abc import Iterator

from synthspec.ir.manifest_evidence import BoundEntry, ContractEntry
from synthspec.report.page.markup import Child, Markup, breakable, join, tag
from synthspec.report.page.parts import code, facts, result, section, table
from synthspec.report.page.shown import Shown
from synthspec.report.verdict_table import number

RELATION = {"<=": "≤", ">=": "≥"}
_HEAD = ("Contract", "Result", "Promise", "Measured", "Judged at", "Real / synthetic", "Note")


def verdicts(page: Shown) -> Markup:
    """The gate, one row a bound, what the spec says to do about what is not held, then what excuses or changes the spec."""
    manifest = page.manifest
    rows = (row for entry in manifest.contracts for row in _rows(entry))
    return section(
        "verdict",
        "Verdict",
        _gate(page),
        table("Every contract of section VI and what became of it", _HEAD, rows, "stacked"),
        *_plans(page),
        *_excuses(page),
    )


def unit_of(unit: str) -> str:
    """A unit behind its number; nothing for the unit 1."""
    return "" if unit in ("1", "") else f" {unit}"


def promise(bound: BoundEntry) -> str:
    """``FID ≤ 60``."""
    return f"{bound.metric} {RELATION[bound.relation]} {number(bound.limit)}{unit_of(bound.unit)}"


def measured(value: float | None, u: float | None, unit: str) -> str:
    """``12.2 ± 1.5 ms``."""
    if value is None:
        return ""
    return number(value) + ("" if u is None else f" ± {u:.2g}") + unit_of(unit)


def _gate(page: Shown) -> Markup:
    manifest, gate = page.manifest, page.manifest.gate
    word = "All three conditions hold." if manifest.verdict == "PASS" else "The gate is closed."
    parts = (
        ("Fidelity", gate.fidelity_ok),
        ("Privacy", gate.privacy_ok),
        ("Contracts", gate.contract_ok),
    )
    return join(
        tag(
            "p",
            tag("strong", manifest.verdict, class_=f"verdict {'good' if manifest.verdict == 'PASS' else 'bad'}"),
            f" The publication gate asks for fidelity, privacy and every blocking contract. {word}",
        ),
        facts((name, result("held" if holds else "broken")) for name, holds in parts),
    )


def _rows(entry: ContractEntry) -> Iterator[tuple[Child, ...]]:
    severity = "" if entry.severity == "block" else f" ({entry.severity})"
    name = join(tag("strong", entry.id), severity, tag("span", entry.name, class_="under"))
    if not entry.bounds:
        yield (name, result(entry.result), "", "", "", "", entry.reason)
    for bound in entry.bounds:
        yield (
            name,
            result(bound.result),
            breakable(promise(bound)),
            measured(bound.value, bound.u, bound.unit),
            "" if bound.judged is None else f"{number(bound.judged)} ({bound.at})",
            sizes(bound.n_real, bound.n_syn),
            bound.reason,
        )


def sizes(n_real: int | None, n_syn: int | None) -> str:
    """``279 / 512``; a dash for the side that was not counted."""
    if n_real is None and n_syn is None:
        return ""
    return f"{'–' if n_real is None else n_real} / {'–' if n_syn is None else n_syn}"


def _plans(page: Shown) -> Iterator[Markup]:
    rows = [(each.id, each.action_plan) for each in page.manifest.contracts if each.result != "held"]
    if any(plan for _, plan in rows):
        said = ((name, plan) for name, plan in rows if plan)
        yield table("What the spec says to do about contracts that are not held", ("Contract", "Action plan"), said)


def _excuses(page: Shown) -> Iterator[Markup]:
    manifest = page.manifest
    if manifest.waivers:
        rows = ((each.id, each.reason, each.approver, each.expires) for each in manifest.waivers)
        yield table("Waivers of the spec: they explain, and turn no result into another", _WAIVERS, rows, "stacked")
    if manifest.overrides:
        changed = ((code(each.path), code(each.value)) for each in manifest.overrides)
        yield table("Changed on the command line", ("Key of the spec", "Value"), changed)


_WAIVERS = ("Waiver", "Reason", "Approved by", "Until")
