"""The verdict table: the last thing a run prints, and what `verify` prints of a manifest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from synthspec.ir.verdict import BoundRecord, ContractRecord, Gate
from synthspec.report.findings_text import plain
from synthspec.report.style import Style

_KIND = {"held": "good", "broken": "bad", "unproven": "warn"}
_SIGN = {"<=": "<=", ">=": ">="}


def verdict_table(records: Sequence[ContractRecord], gate: Gate, style: Style) -> str:
    """One line a bound, grouped by contract, then what the spec says to do about contracts that do not hold, then the gate.

    On a terminal that would cut such lines, what was measured stands below what was promised.
    """
    rows = [row for record in records for row in _rows(record)]
    widths = [max(len(row[column]) for row in (_HEAD, *rows)) for column in range(len(_HEAD))]
    lines = [style.paint(_line(_HEAD, widths), "bold"), _line(tuple("-" * width for width in widths), widths)]
    lines += [_painted(_line(row, widths), row[1], style) for row in rows]
    if style.width is not None and max(len(_line(row, widths)) for row in (_HEAD, *rows)) > style.width:
        lines = [line for row in rows for line in _stacked(row, widths[:2], style)]
    return "\n".join([*lines, "", *_plans(records), _gate(gate, style)]) + "\n"


def _painted(line: str, result: str, style: Style) -> str:
    return line.replace(result, style.paint(result, _KIND[result]), 1) if result else line


def _stacked(row: tuple[str, ...], widths: Sequence[int], style: Style) -> Iterator[str]:
    """One row in as many lines as it takes, all of them beside the name and the result."""
    name, result, promise, measured, judged, size, note = row
    told = (measured, judged and f"judged at {judged}", size and f"n {size}")
    parts = [part for part in (promise, ", ".join(filter(None, told)), note) if part.strip()]
    room = max((style.width or 0) - sum(widths) - 4, 20)
    lines = [line for part in parts for line in wrap(part, room, break_on_hyphens=False)] or [""]
    for order, line in enumerate(lines):
        head = (name, result) if order == 0 else ("", "")
        yield _painted(_line((*head, line), (*widths, 0)), head[1], style)


_HEAD = ("contract", "result", "promise", "measured", "judged at", "n", "note")


def _rows(record: ContractRecord) -> list[tuple[str, ...]]:
    name = record.id if record.severity == "block" else f"{record.id} ({record.severity})"
    if not record.bounds:
        return [(name, record.result, "", "", "", "", plain(record.reason))]
    return [_row(name if number == 0 else "", bound) for number, bound in enumerate(record.bounds)]


def _plans(records: Sequence[ContractRecord]) -> list[str]:
    """The `action_plan` of each contract that is not held."""
    plans = [
        f"{record.id}: {plain(record.action_plan)}"
        for record in records
        if record.action_plan and record.result != "held"
    ]
    return ["action plans of what is not held:", *(f"  {plan}" for plan in plans), ""] if plans else []


def _row(name: str, record: BoundRecord) -> tuple[str, ...]:
    bound = record.bound
    unit = "" if bound.unit == "1" else f" {bound.unit}"
    shown = claim if bound.metric in ("eps_total", "delta_total") else number
    measured = (
        "" if record.value is None else shown(record.value) + ("" if record.u is None else f" ± {number(record.u)}")
    )
    judged = "" if record.judged is None else f"{shown(record.judged)} ({bound.at})"
    size = (
        record.n_syn if record.n_real is None else f"{record.n_real}/{record.n_syn}" if record.n_syn else record.n_real
    )
    promise = f"{bound.metric} {_SIGN[bound.relation]} {shown(bound.limit)}{unit}"
    return (name, record.result, promise, measured, judged, "" if size is None else str(size), plain(record.reason))


def claim(value: float) -> str:
    """All digits: a bound that is rounded down is another bound."""
    return f"{value:.15g}"


def number(value: float) -> str:
    """Four significant digits, without a tail of zeros."""
    return f"{value:.4g}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _gate(gate: Gate, style: Style) -> str:
    word = style.paint("PASS", "good") if gate.passed else style.paint("FAIL", "bad")
    parts = f"fidelity_ok={gate.fidelity_ok}  privacy_ok={gate.privacy_ok}  contract_ok={gate.contract_ok}"
    return f"gate: {word}  ({parts.lower()})"
