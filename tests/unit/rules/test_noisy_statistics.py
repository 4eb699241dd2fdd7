"""Specs under dp-noise and with counts beside dp-sgd: what is clean, and what is refused by which code and where."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from synthspec.accounting import Composed, Gaussian, PoissonGaussian, available, eps_total
from synthspec.backend.countable import told_apart
from synthspec.ir.ops import Fit, Latency, Replay, Sample, Statistics
from synthspec.ir.privacy import planned_event, training_event
from synthspec.ir.schema import Field
from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, Spot, load_spec

EXAMPLES = Path(__file__).parents[3] / "examples"
TODAY = date(2026, 11, 22)
NOISY, TRAINED = "cancer-dp-marginals", "cancer-dp-vae"


def compiled(name, *changes):
    path = EXAMPLES / name / "spec.yaml"
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return load_spec(Spot(path, "spec.yaml", text.encode()), Options(today=TODAY)).then(compile_spec), text


def told(name, *changes):
    """(code, line) of each finding."""
    outcome, text = compiled(name, *changes)
    lines = {
        (each.code, text.count("\n", 0, each.span.start) + 1 if each.span else None) for each in outcome.diagnostics
    }
    return lines, text.splitlines()


def plan_of(name, *changes):
    outcome, _ = compiled(name, *changes)
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


@pytest.mark.parametrize(
    ("old", "new", "code", "word"),
    [
        ("statistics: [marginals]", "statistics: [means]", "P405-4.binding-without-privacy", "statistics"),
        (
            "statistics: [marginals]",
            "statistics: [marginals, mean_embedding]",
            "P405-4.binding-without-privacy",
            "statistics",
        ),
        (
            "statistics: [marginals]",
            "statistics: [marginals, marginals]",
            "P405-4.binding-without-privacy",
            "statistics",
        ),
        ("statistics: [marginals]", "statistics: []", "P405-4.incomplete", "statistics"),
        (
            "dataset_size: {public: true, value: 398} ",
            "dataset_size: {public: false} ",
            "P405-4.incomplete",
            "privacy:",
        ),
        ("adjacency: zero_out", "adjacency: add_remove", "P405-4.private-size-used", "dataset_size"),
        ("eps_budget: 4.0  ", "eps_budget: 0.00001  ", "P405-4.budget-exceeded", "eps_budget"),
        ("bounds: sref", "bounds: data", "P405-4.data-dependent-bounds", "bounds"),
        ("accountant: analytic", "accountant: gdp", "P405-4.accountant-unknown", "accountant"),
        ("unit: record", "unit: rid", "engine.backend-unsupported", "unit"),
        ("delta: 1.0e-5\n", "delta: 0.003\n", "P405-4.delta-too-large", "delta"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(old, new, code, word):
    found, lines = told(NOISY, (old, new))
    assert code in {each for each, _ in found}, found
    where = {lines[line - 1] for each, line in found if each == code and line}
    assert any(word in line for line in where), where


@pytest.mark.parametrize("adjacency", ["add_remove", "zero_out"])
def test_where_a_record_comes_or_goes_no_other_may_change_its_split(adjacency):
    """By place, one record more shuffles all that stand after it: the bound for one would be a bound for nobody."""
    split = ("{method: hash, key: rid, train: 0.70, val: 0.15, test: 0.15, seed: 5}",
             "{method: random, train: 0.70, val: 0.15, test: 0.15, seed: 5}")  # fmt: skip
    private = (
        ("adjacency: zero_out", "adjacency: add_remove"),
        ("dataset_size: {public: true, value: 398}", "records: 398"),
    )
    found, lines = told(NOISY, split, *(private if adjacency == "add_remove" else ()))
    where = {lines[line - 1] for code, line in found if code == "P405-4.private-size-used"}
    assert bool(where) == (adjacency == "add_remove")
    assert all("split" in line for line in where)


@pytest.mark.parametrize("adjacency", ["zero_out", "replace_one", "add_remove"])
def test_no_split_is_by_rank(adjacency):
    """A record with another time moves the edge for those beside it, and for all that share the instant there."""
    split = ("{method: hash, key: rid, train: 0.70, val: 0.15, test: 0.15, seed: 5}",
             "{method: time, key: rid, train: 0.70, val: 0.15, test: 0.15}")  # fmt: skip
    found, lines = told(NOISY, split, ("adjacency: zero_out", f"adjacency: {adjacency}"))
    assert any(code == "P405-4.private-size-used" and "split" in lines[line - 1] for code, line in found)


def test_a_limit_that_was_calibrated_is_a_figure_of_records():
    found, lines = told(NOISY, ("{tol_W1: 0.6}", "{tol_W1: 0.6, tol_source: calibrated}"))
    assert any(code == "P405-4.private-metric-published" and "tol_W1" in lines[line - 1] for code, line in found)


def test_what_is_offered_is_named():
    outcome, _ = compiled(NOISY, ("[marginals]", "[means]"))
    (found,) = (each for each in outcome.diagnostics if each.code == "P405-4.binding-without-privacy")
    assert "means" in found.message
    assert "marginals or mean_embedding" in found.help


def test_pictures_are_not_counted():
    path = EXAMPLES / "digits-vae" / "spec.yaml"
    text = path.read_text()
    begin = text.index("privacy:")
    block = ("privacy: {mechanism: dp-noise, unit: record, adjacency: zero_out, records: 100, statistics: [marginals], "
             "eps_budget: 4.0, delta: 1.0e-5, bounds: sref, accountant: analytic, ledger: digits}\n")  # fmt: skip
    text = text[:begin] + block + text[text.index("\n", begin) + 1 :]
    outcome = load_spec(Spot(path, "spec.yaml", text.encode()), Options(today=TODAY)).then(compile_spec)
    said = [each.message for each in outcome.diagnostics if each.code == "P405-4.binding-without-privacy"]
    assert any("modality image" in message for message in said)


def reached(plan, node_id, barred):
    """The nodes that `node_id` reads, however far back, without passing through `barred`."""
    seen, waiting = set(), [node_id]
    while waiting:
        for edge in plan.node(waiting.pop()).inputs:
            if edge.node not in seen:
                seen.add(edge.node)
                if edge.node != barred:
                    waiting.append(edge.node)
    return seen


FAST = ("sampling: {n: 400", "acceleration: [{kind: quantize, dtype: int8}]\nsampling: {n: 400")


@pytest.mark.parametrize("changes", [(), (FAST, ("[bpd, inv_error", "[bpd, latency_ms_p99, inv_error"))])
def test_no_road_leads_from_records_to_the_engine_but_through_the_noise(changes):
    plan = plan_of(NOISY, *changes)
    engines = [node for node in plan.nodes if isinstance(node.op, Fit | Sample | Latency | Replay)]
    assert len(engines) == (6 if changes else 3)
    for node in engines:
        assert not {"bind", "split"} & reached(plan, node.id, "statistics"), node.id
    (counted,) = (node.op for node in plan.nodes if isinstance(node.op, Statistics))
    assert counted.sigma > 0
    assert plan.private == counted.privacy
    assert all(node.op.privacy.mechanism == "none" for node in plan.nodes if isinstance(node.op, Fit))


def test_the_noise_spends_the_budget_and_no_more():
    (counted,) = (node.op for node in plan_of(NOISY).nodes if isinstance(node.op, Statistics))
    assert 3.999 < eps_total(Gaussian(counted.sigma), 1e-5, "analytic").eps <= 4.0
    assert (counted.target, counted.records) == ("diagnosis", 398)
    (twice,) = (
        node.op for node in plan_of(NOISY, ("zero_out", "replace_one")).nodes if isinstance(node.op, Statistics)
    )
    assert twice.sigma == pytest.approx(2 * counted.sigma, rel=1e-4)


EMBEDDED = ("[marginals]", "[mean_embedding]")


@pytest.mark.parametrize(("adjacency", "doubled"), [("zero_out", 1), ("replace_one", 2)])
def test_an_embedding_is_one_release_at_all_of_the_budget(adjacency, doubled):
    plan = plan_of(NOISY, EMBEDDED, ("adjacency: zero_out", f"adjacency: {adjacency}"))
    (summed,) = (node.op for node in plan.nodes if isinstance(node.op, Statistics))
    assert (summed.kind, summed.target, summed.records) == ("mean_embedding", "diagnosis", 398)
    assert 3.999 < eps_total(Gaussian(summed.sigma / doubled), 1e-5, "analytic").eps <= 4.0
    for node in (node for node in plan.nodes if isinstance(node.op, Fit | Sample | Replay)):
        assert not {"bind", "split"} & reached(plan, node.id, "statistics"), node.id


def test_embeddings_are_told_apart_by_the_condition_before_the_target():
    by_area = ("evaluation:\n", "evaluation:\n  target: mean_area\n")
    (summed,) = (node.op for node in plan_of(NOISY, EMBEDDED, by_area).nodes if isinstance(node.op, Statistics))
    assert summed.target == "diagnosis"
    (counted,) = (node.op for node in plan_of(NOISY, by_area).nodes if isinstance(node.op, Statistics))
    assert counted.target == "mean_area"


@pytest.mark.parametrize(
    ("field", "apart"),
    [
        ({"dtype": "categorical", "enum": tuple(range(20))}, True),
        ({"dtype": "categorical", "enum": tuple(range(20)), "nullable": True}, False),
        ({"dtype": "bool"}, True),
        ({"dtype": "int32", "enum": (1, 2)}, False),
        ({"dtype": "float64", "range": (0.0, 1.0)}, False),
    ],
)
def test_only_a_few_members_have_embeddings_of_their_own(field, apart):
    assert told_apart(Field(name="x", role="condition", **field)) == apart


@pytest.mark.parametrize("kind", ["standard", "quantile"])
def test_transforms_of_drawn_records_are_free(kind):
    """What they are fitted to was drawn from noisy statistics; under dp-sgd it would be the records themselves."""
    split = "  split: {method: hash"
    transform = (split, f"  transform: {{mean_area: {kind}}}\n{split}")
    plan = plan_of(NOISY, transform)
    assert plan.node("fit").op.schema.field("mean_area").transform == kind
    assert {edge.node for edge in plan.node("fit").inputs} == {"statistics"}
    found, lines = told(TRAINED, transform)
    (line,) = (line for code, line in found if code == "P405-4.data-dependent-transform")
    assert "transform" in lines[line - 1]


EMPIRICAL = ("distribution: {0: 0.4, 1: 0.6}", "distribution: empirical")
COUNTED = ("normalizer: 64\n", "normalizer: 64\n  condition_histogram: {multiplier: 20.0}\n")


def test_empirical_conditions_want_noisy_counts():
    found, lines = told(TRAINED, EMPIRICAL)
    (line,) = (line for code, line in found if code == "P405-4.empirical-condition")
    assert "empirical" in lines[line - 1]
    assert "P405-4.empirical-condition" not in {code for code, _ in told(TRAINED, EMPIRICAL, COUNTED)[0]}


@pytest.mark.skipif(not available(), reason="dp-accounting is not installed")
def test_counts_beside_a_training_are_paid_for_by_its_noise():
    plan = plan_of(TRAINED, EMPIRICAL, COUNTED)
    block, alone = plan.private, plan_of(TRAINED).private
    assert block.noise.multiplier > alone.noise.multiplier
    trained = PoissonGaussian(0.16, block.noise.multiplier, 400)
    assert planned_event(block, block.noise.multiplier) == Composed((Gaussian(20.0), trained))
    assert training_event(block, block.noise.multiplier) == trained
    assert 3.99 < eps_total(planned_event(block, block.noise.multiplier), 1e-5, "pld", "zero_out").eps <= 4.0
    assert {edge.node for edge in plan.node("fit").inputs} == {"bind", "split"}
    assert {edge.node for edge in plan.node("sample").inputs} == {"fit", "statistics"}
