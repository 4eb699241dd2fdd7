"""No path turns a missing value into a pass: every term of every contract, over evidence with holes."""

import dataclasses
import itertools
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.contracts import CONTRACTS, Setting
from synthspec.ir.evidence import Figure, evidence
from synthspec.ir.verdict import Bound, ContractRecord
from synthspec.judge import judge
from synthspec.judge.bound import judge_bound

TERMS = tuple((contract, term) for contract in CONTRACTS for term in contract.terms)
SETTING = Setting(family="flow", modality="timeseries", mechanism=True, accelerated=True, time=True, arrival=True)
NEEDED = {"upper": ("upper",), "lower": ("lower",), "value": ("value",), "value+u": ("value", "u")}
HOLES = (None, math.nan)
LIMITS = {contract.id: {term.symbol: 0.5 for term in contract.terms if term.symbol} for contract in CONTRACTS}


def good(term):
    """A figure that keeps `term` at the limit 0.5 (or the standard's own 0)."""
    value = (0.5 if term.symbol else 0.0) * (0.5 if term.relation == "<=" else 1.5)
    return Figure(
        name=term.metric, label=term.metric, value=value, u=0.01, lower=value, upper=value, unit=term.unit,
        split=term.split,
    )  # fmt: skip


WHOLE = {term.metric: good(term) for _, term in TERMS}


def promised(severity="block"):
    return tuple(contract.promise(SETTING, LIMITS[contract.id], severity=severity) for contract in CONTRACTS)


def record_of(figures, name) -> ContractRecord:
    return next(record for record in judge(promised(), evidence(tuple(figures.values()))).records if record.id == name)


def test_whole_evidence_is_held():
    for contract in CONTRACTS:
        record = record_of(WHOLE, contract.id)
        assert record.result == "held", record


def spoilt(term):
    """Every way in which the figure of `term` may lack what is judged."""
    figure = good(term)
    yield None
    for part in {*NEEDED[term.at], "value"}:
        for hole in HOLES:
            yield dataclasses.replace(figure, **{part: hole})
    if term.split is not None:
        for other in {"train", "val", "test", None} - {term.split}:
            yield dataclasses.replace(figure, split=other)
    yield dataclasses.replace(figure, unit="parsec")
    for u in (math.nan, -0.01, math.inf, -math.inf):
        yield dataclasses.replace(figure, u=u)
    for bound in ("lower", "upper"):
        yield dataclasses.replace(figure, **{bound: math.nan})
    yield dataclasses.replace(figure, n_real=0)
    yield dataclasses.replace(figure, n_syn=0)
    favourable = -math.inf if term.relation == "<=" else math.inf
    yield dataclasses.replace(figure, value=favourable, lower=favourable, upper=favourable)


def test_each_hole_of_each_term_is_unproven_and_blocks():
    count = 0
    for contract, term in TERMS:
        for figure in spoilt(term):
            figures = {name: found for name, found in WHOLE.items() if name != term.metric}
            if figure is not None:
                figures[term.metric] = figure
            record = record_of(figures, contract.id)
            assert record.result == "unproven", (term, figure, record)
            assert record.blocks
            assert record.reason
            count += 1
    assert count > 200


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_many_holes_at_once_never_open_the_gate(data):
    figures = dict(WHOLE)
    some = data.draw(st.lists(st.sampled_from(range(len(TERMS))), min_size=1, max_size=6, unique=True))
    for number in some:
        _, term = TERMS[number]
        figure = data.draw(st.sampled_from(list(spoilt(term))))
        if figure is None:
            figures.pop(term.metric, None)
        else:
            figures[term.metric] = figure
    verdicts = judge(promised(), evidence(tuple(figures.values())))
    touched = {TERMS[number][0].id for number in some}
    assert not verdicts.gate.passed
    for record in verdicts.records:
        assert (record.result == "held") == (record.id not in touched)


NUMBERS = (None, math.nan, math.inf, -math.inf, -0.1, 0.1, 0.5, 0.9)


def test_held_means_that_all_numbers_are_there_and_the_worst_of_them_keeps_the_limit():
    """Every figure of these numbers against every kind of bound, also those that no contract has."""
    held = 0
    for relation, at, limit in itertools.product(("<=", ">="), NEEDED, (0.5, math.nan, math.inf)):
        bound = Bound(metric="m", relation=relation, limit=limit, at=at, split="test")
        for value, u, lower, upper in itertools.product(NUMBERS, repeat=4):
            figure = Figure(name="m", label="m", value=value, u=u, lower=lower, upper=upper, split="test")
            if judge_bound(bound, evidence((figure,))).result != "held":
                continue
            parts = {"value": value, "u": u, "lower": lower, "upper": upper}
            judged = value + u if at == "value+u" else parts[at]
            assert math.isfinite(limit)
            assert not any(each is not None and math.isnan(each) for each in parts.values())
            assert u is None or 0 <= u < math.inf
            assert all(each <= limit if relation == "<=" else each >= limit for each in (value, judged))
            held += 1
    assert held > 50
