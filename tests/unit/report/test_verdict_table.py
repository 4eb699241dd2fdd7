"""The verdict table: what is printed of a promise, and that no cell can break it."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.ir.verdict import Bound, BoundRecord, ContractRecord, Gate
from synthspec.report.style import PLAIN, Style
from synthspec.report.verdict_table import number, verdict_table

OPEN = Gate(fidelity_ok=True, privacy_ok=True, contract_ok=True)
CLOSED = Gate(fidelity_ok=False, privacy_ok=True, contract_ok=True)
BOUND = Bound(metric="FID", relation="<=", limit=60.0, at="upper", symbol="tol_FID", split="test")
HELD = BoundRecord(bound=BOUND, result="held", judged=42.123456, value=40.0, u=1.5, n_real=279, n_syn=512)


def record(*bounds: BoundRecord, **changes) -> ContractRecord:
    values = {
        "id": "C40-511", "name": "Fidelity", "expr": "FID", "severity": "block", "result": "held",
        "bounds": bounds, "tol_source": "stated", "action_plan": "",
    }  # fmt: skip
    return ContractRecord(**(values | changes))


def rows(*records: ContractRecord, gate: Gate = OPEN) -> list[str]:
    return verdict_table(records, gate, PLAIN).splitlines()


def test_the_whole_table():
    latency = BoundRecord(
        bound=Bound(metric="latency", relation="<=", limit=2000.0, unit="ms", at="upper"),
        result="unproven",
        reason="not measured",
    )
    recall = BoundRecord(
        bound=Bound(metric="recall", relation=">=", limit=0.3, at="lower"),
        result="broken", judged=0.25, value=0.26, n_real=10,
    )  # fmt: skip
    nothing = record(id="C40-512", severity="info", result="unproven", reason="owed by flow, not by gan")
    assert verdict_table(
        [record(HELD, recall, result="broken"), record(latency, id="C40-514"), nothing], CLOSED, PLAIN
    ) == (
        "contract        result    promise             measured  judged at      n        note\n"
        "--------------  --------  ------------------  --------  -------------  -------  ------------------------\n"
        "C40-511         held      FID <= 60           40 ± 1.5  42.12 (upper)  279/512\n"
        "                broken    recall >= 0.3       0.26      0.25 (lower)   10\n"
        "C40-514         unproven  latency <= 2000 ms                                    not measured\n"
        "C40-512 (info)  unproven                                                        owed by flow, not by gan\n"
        "\n"
        "gate: FAIL  (fidelity_ok=false  privacy_ok=true  contract_ok=true)\n"
    )


def test_what_is_not_held_comes_with_its_action_plan():
    kept, lost = record(HELD, action_plan="rest"), record(HELD, result="broken", id="C40-514", action_plan="dis\x1btil")
    assert "rest" not in verdict_table([kept], OPEN, PLAIN)
    assert verdict_table([kept, lost, record(HELD, result="broken")], CLOSED, PLAIN).endswith(
        "\n\naction plans of what is not held:\n  C40-514: dis\\u001btil\n\n"
        "gate: FAIL  (fidelity_ok=false  privacy_ok=true  contract_ok=true)\n"
    )


@pytest.mark.parametrize("part", ["fidelity_ok", "privacy_ok", "contract_ok"])
def test_the_gate_is_open_only_when_all_three_are(part):
    assert rows(gate=OPEN)[-1].startswith("gate: PASS  ")
    shut = rows(gate=dataclasses.replace(OPEN, **{part: False}))[-1]
    assert shut.startswith("gate: FAIL  ")
    assert f"{part}=false" in shut


@pytest.mark.parametrize(
    ("value", "text"),
    [(60.0, "60"), (0.0, "0"), (1e-5, "1e-05"), (123456.0, "1.235e+05"), (float("inf"), "inf"), (-0.25, "-0.25")],
)
def test_numbers_are_short(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("real", "synthetic", "text"), [(None, None, ""), (None, 5, "5"), (7, None, "7"), (7, 5, "7/5")]
)
def test_how_many_records_there_were(real, synthetic, text):
    line = rows(record(dataclasses.replace(HELD, n_real=real, n_syn=synthetic)))[2]
    assert line.endswith(f"(upper)  {text}".rstrip())


def test_colour_paints_the_result_and_changes_no_letter():
    records = [record(HELD), record(dataclasses.replace(HELD, result="broken"), result="broken")]
    painted = verdict_table(records, CLOSED, Style(colour=True))
    assert "\x1b[32mheld" in painted
    assert "\x1b[31;1mbroken" in painted
    assert re.sub(r"\x1b\[[\d;]*m", "", painted) == verdict_table(records, CLOSED, PLAIN)


@given(st.integers(60, 200), st.text("ab -", max_size=120))
def test_a_narrow_terminal_cuts_nothing_and_misses_nothing(width, reason):
    bound = dataclasses.replace(HELD, reason=reason)
    records = [record(bound, bound), record(result="unproven", severity="info", reason="owed by vae, not by flow")]
    shown = verdict_table(records, OPEN, Style(colour=False, width=width))
    body = shown.split("\n\n")[0]
    assert all(len(line) <= width for line in body.splitlines())
    words = {
        "C40-511",
        "held",
        "FID",
        "60",
        "40",
        "1.5",
        "42.12",
        "(upper)",
        "279/512",
        "unproven",
        "vae,",
        *reason.split(),
    }
    found = set(body.split())
    assert {each for each in words if len(each) < 20} <= found | {each.rstrip(",") for each in found}
    wide = verdict_table(records, OPEN, PLAIN)
    assert (shown == wide) == all(len(line) <= width for line in wide.split("\n\n")[0].splitlines())


@given(st.text(max_size=30))
def test_no_reason_breaks_the_table(reason):
    lines = verdict_table([record(dataclasses.replace(HELD, reason=reason))], OPEN, PLAIN).split("\n")
    assert len(lines) == 6
    assert lines[2].startswith("C40-511   held    FID <= 60  40 ± 1.5  42.12 (upper)  279/512")
    assert "\x1b" not in lines[2]
