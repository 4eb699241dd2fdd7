"""The judge: held, broken or unproven, and never held for want of evidence."""

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.contracts import CONTRACTS, Setting, contract
from synthspec.ir.evidence import Figure, evidence
from synthspec.ir.verdict import Bound, Promise
from synthspec.judge import judge

DIFFUSION = Setting(family="diffusion", modality="image")
LIMITS = {
    "C40-511": {"tol_FID": 60.0, "tol_KID": 0.05, "recall_min": 0.3},
    "C40-514": {"NFE_max": 40.0, "SLO_latency": 2000.0, "cfg_max": 2.0},
    "C40-515": {"covg_min": 0.5, "tol_mode_drop": 0.0},
    "C40-516": {"mi_max": 0.3},
}
PROMISES = tuple(c.promise(DIFFUSION, LIMITS.get(c.id, {})) for c in CONTRACTS)


def figure(name, value, *, unit="1", split=None, **more):
    bounds = {"u": 0.0, "lower": value, "upper": value} | more
    return Figure(name=name, label=name, value=value, unit=unit, split=split, **bounds)


GOOD = (
    figure("FID", 20.0, upper=30.0, split="test"),
    figure("KID", 0.01, u=0.02, split="test"),
    figure("recall", 0.6, lower=0.5, split="test"),
    figure("NFE", 40.0),
    figure("latency_ms_p99", 900.0, upper=1200.0, unit="ms"),
    figure("w_cfg", 0.5),
    figure("covg", 0.8, lower=0.7, split="test"),
    figure("mode_drop", 0.0, split="test"),
    figure("MI", 0.02, upper=0.2),
    figure("check_dim_failures", 0.0),
    figure("unpersisted", 0.0),
    figure("replay_mismatches", 0.0),
)


def one(bound, fig):
    promise = Promise(id="C40-511", name="n", expr="e", severity="block", bounds=(bound,))
    return judge((promise,), evidence((fig,) if fig else ())).records[0]


def fid(limit=60.0, **more):
    return Bound(metric="FID", relation="<=", limit=limit, at="upper", symbol="tol_FID", split="test", **more)


def changed(name, **fields):
    return evidence(tuple(dataclasses.replace(f, **fields) if f.name == name else f for f in GOOD))


def test_a_good_run_passes_the_gate():
    verdicts = judge(PROMISES, evidence(GOOD))
    assert [r.id for r in verdicts.records] == [c.id for c in CONTRACTS]
    assert verdicts.gate.passed
    results = {r.id: r.result for r in verdicts.records}
    assert {i for i, r in results.items() if r == "held"} == {
        *("C40-511", "C40-514", "C40-515", "C40-516", "C40-518", "C40-519")
    }
    assert results["C40-512"] == "unproven"


def test_not_owed_is_unproven_for_information():
    record = judge(PROMISES, evidence(GOOD)).records[1]
    assert (record.result, record.severity, record.blocks) == ("unproven", "info", False)
    assert "flow" in record.reason


def test_the_bound_is_judged_and_not_the_value():
    assert one(fid(), figure("FID", 20.0, upper=61.0, split="test")).result == "broken"
    assert one(fid(), figure("FID", 20.0, upper=60.0, split="test")).result == "held"


def test_kid_is_judged_one_se_above_its_mean():
    broken = judge(PROMISES, changed("KID", value=0.04, lower=0.0, upper=0.1, u=0.011)).records[0]
    assert broken.result == "broken"
    assert broken.bounds[1].judged == pytest.approx(0.051)
    assert judge(PROMISES, changed("KID", value=0.04, u=0.009, upper=0.1)).records[0].result == "held"


@pytest.mark.parametrize(
    ("bound", "fig", "why"),
    [
        (fid(), None, "not measured"),
        (fid(), Figure(name="FID", label="", value=None, reason="too few"), "too few"),
        (fid(), Figure(name="FID", label="", value=None), "could not be computed"),
        (fid(), Figure(name="FID", label="", value=1.0, split="test"), "no number at 'upper'"),
        (fid(), figure("FID", 1.0, split="train"), "split train"),
        (fid(), figure("FID", 1.0), "split unstated"),
        (fid(), figure("FID", 1.0, unit="m", split="test"), "is in m"),
        (fid(), figure("FID", math.nan, split="test"), "not a number"),
        (fid(), figure("FID", 1.0, upper=math.nan, split="test"), "not a number"),
        (fid(), figure("FID", -math.inf, split="test"), "infinite"),
        (fid(), figure("FID", 70.0, upper=50.0, split="test"), "below its value"),
        (fid(limit=math.nan), figure("FID", 1.0, split="test"), "limit"),
        (fid(limit=math.inf), figure("FID", 1.0, split="test"), "limit"),
    ],
)
def test_what_cannot_be_shown_is_unproven(bound, fig, why):
    record = one(bound, fig)
    assert record.result == "unproven"
    assert why in record.reason


def test_a_lower_bound_above_its_value_is_not_believed():
    bound = Bound(metric="recall", relation=">=", limit=0.3, at="lower", split="test")
    assert one(bound, figure("recall", 0.2, lower=0.4, split="test")).result == "unproven"
    assert one(bound, figure("recall", 0.2, lower=0.1, split="test")).result == "broken"


def test_a_negative_uncertainty_is_not_believed():
    bound = Bound(metric="KID", relation="<=", limit=0.05, at="value+u", split="test")
    assert one(bound, figure("KID", 0.06, u=-0.02, split="test")).result == "unproven"


def test_an_infinite_epsilon_breaks_the_budget():
    bound = Bound(metric="eps_total", relation="<=", limit=4.0, at="value")
    assert one(bound, figure("eps_total", math.inf)).result == "broken"


def test_a_broken_bound_outweighs_an_unproven_one():
    some = tuple(f for f in GOOD if f.name not in {"KID", "FID"})
    record = judge(PROMISES, evidence((*some, figure("FID", 99.0, split="test")))).records[0]
    assert record.result == "broken"
    assert "exceeds 60" in record.reason
    assert "KID was not measured" in record.reason


def test_a_promise_without_bounds_is_unproven_and_blocks():
    verdicts = judge((Promise(id="C40-516", name="n", expr="e", severity="block", bounds=()),), evidence(()))
    record = next(r for r in verdicts.records if r.id == "C40-516")
    assert (record.result, record.blocks) == ("unproven", True)


def test_an_excuse_does_not_lift_a_stated_bound():
    promise = dataclasses.replace(contract("C40-516").promise(DIFFUSION, {"mi_max": 0.3}), not_owed="please")
    record = judge((promise,), changed("MI", value=0.5, upper=0.6)).records[5]
    assert (record.result, record.blocks) == ("broken", True)


def test_a_promise_left_out_closes_the_gate():
    verdicts = judge(tuple(p for p in PROMISES if p.id != "C40-516"), evidence(GOOD))
    assert [r.id for r in verdicts.records] == [c.id for c in CONTRACTS]
    assert not verdicts.gate.privacy_ok
    assert verdicts.gate.fidelity_ok


@pytest.mark.parametrize(
    ("metric", "gate"),
    [("covg", "fidelity_ok"), ("MI", "privacy_ok"), ("replay_mismatches", "contract_ok"), ("NFE", "fidelity_ok")],
)
def test_each_contract_closes_its_own_gate(metric, gate):
    verdicts = judge(PROMISES, evidence(tuple(f for f in GOOD if f.name != metric)))
    assert {name for name in ("fidelity_ok", "privacy_ok", "contract_ok") if not getattr(verdicts.gate, name)} == {gate}
    assert not verdicts.gate.passed


def test_only_block_closes_the_gate():
    soft = tuple(dataclasses.replace(p, severity="warn") for p in PROMISES)
    verdicts = judge(soft, evidence(()))
    assert verdicts.gate.passed
    assert not any(r.result == "held" for r in verdicts.records)


OWED = [bound.metric for promise in PROMISES for bound in promise.bounds]
HOLES = st.sampled_from(["gone", "value", "bounds", "nan", "split"])


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(OWED), HOLES))
def test_holes_in_the_evidence_are_never_held(holes):
    def dig(fig):
        split = "train" if fig.split else fig.split
        return {
            "value": dataclasses.replace(fig, value=None),
            "bounds": dataclasses.replace(fig, u=None, lower=None, upper=None, value=None),
            "nan": dataclasses.replace(fig, value=math.nan, lower=math.nan, upper=math.nan),
            "split": dataclasses.replace(fig, split=split, value=fig.value if fig.split else None),
        }[holes[fig.name]]

    kept = tuple(dig(f) if f.name in holes else f for f in GOOD if holes.get(f.name) != "gone")
    verdicts = judge(PROMISES, evidence(kept))
    for record in verdicts.records:
        for bound in record.bounds:
            assert (bound.result == "held") == (bound.bound.metric not in holes)
            assert bool(bound.reason) == (bound.bound.metric in holes)
    assert verdicts.gate.passed == (not holes)


numbers = st.none() | st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=200, deadline=None)
@given(
    value=numbers,
    u=numbers,
    lower=numbers,
    upper=numbers,
    limit=st.floats(),
    relation=st.sampled_from(["<=", ">="]),
    at=st.sampled_from(["upper", "lower", "value", "value+u"]),
)
def test_the_judge_is_total_and_held_means_the_inequality(value, u, lower, upper, limit, relation, at):
    fig = Figure(name="FID", label="", value=value, u=u, lower=lower, upper=upper, split="test")
    record = one(Bound(metric="FID", relation=relation, limit=limit, at=at, split="test"), fig).bounds[0]
    if record.result == "held":
        assert value is not None
        assert record.judged is not None
        assert record.judged <= limit if relation == "<=" else record.judged >= limit
    else:
        assert record.reason or record.judged is not None
