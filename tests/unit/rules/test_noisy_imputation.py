"""Means, medians and modes for gaps under dp-sgd: noisy and paid for, or refused where they are asked for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from synthspec.accounting import Composed, Gaussian, PoissonGaussian, available, eps_total
from synthspec.ir.ops import Statistics
from synthspec.ir.privacy import planned_event, training_event
from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, Spot, load_spec
from synthspec.pipeline.shadow_graph import Asked, shadow_graph

EXAMPLE = Path(__file__).parents[3] / "examples" / "cancer-dp-vae"
EMPIRICAL = ("distribution: {0: 0.4, 1: 0.6}", "distribution: empirical")


@pytest.fixture
def outcome(tmp_path):
    """Compiles the example with some of its text changed, over an SRef in which a field may lack its value."""

    def compiled(*changes):
        sref, text = (EXAMPLE / "cancer.sref.yaml").read_text(), (EXAMPLE / "spec.yaml").read_text()
        (tmp_path / "cancer.sref.yaml").write_text(sref.replace("range: [0, 1]}", "range: [0, 1], nullable: true}"))
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        found = Spot(tmp_path / "spec.yaml", "spec.yaml", text.encode())
        return load_spec(found, Options(today=date(2026, 11, 22))).then(compile_spec), text

    return compiled


@pytest.fixture
def plan_of(outcome):
    def planned(*changes):
        made, _ = outcome(*changes)
        assert made.value is not None, made.diagnostics
        return made.value

    return planned


GAPS = (
    ("source: sklearn://breast_cancer", "source: sklearn://breast_cancer\n  impute: {mean_smoothness: median}"),
    ("normalizer: 64\n", "normalizer: 64\n  imputation: {multiplier: 25.0}\n"),
)


@pytest.mark.skipif(not available(), reason="dp-accounting is not installed")
def test_what_gaps_are_filled_with_is_released_before_any_is_and_is_paid_for(plan_of):
    plan = plan_of(*GAPS)
    (released,) = (node.op for node in plan.nodes if isinstance(node.op, Statistics))
    assert (released.kind, released.fill, released.fill_sigma) == ("imputation", (("mean_smoothness", "median"),), 25.0)
    block, alone = plan.private, plan_of().private
    assert block.noise.multiplier > alone.noise.multiplier
    trained = PoissonGaussian(0.16, block.noise.multiplier, 400)
    assert planned_event(block, block.noise.multiplier) == Composed((Gaussian(25.0), trained))
    assert training_event(block, block.noise.multiplier) == trained
    assert 3.99 < eps_total(planned_event(block, block.noise.multiplier), 1e-5, "pld", "zero_out").eps <= 4.0
    assert {edge.port: edge.node for edge in plan.node("statistics").inputs} == {"data": "bind", "split": "split"}
    assert {edge.port: edge.node for edge in plan.node("impute").inputs} == {
        "data": "bind", "split": "split", "fill": "statistics"
    }  # fmt: skip
    assert {edge.node for edge in plan.node("fit").inputs} == {"impute", "split"}
    assert "statistics" not in {edge.node for edge in plan.node("sample").inputs}


@pytest.mark.skipif(not available(), reason="dp-accounting is not installed")
def test_both_statistics_beside_a_training_are_one_node(plan_of):
    counts = ("imputation: {multiplier: 25.0}\n",
              "imputation: {multiplier: 25.0}\n  condition_histogram: {multiplier: 20.0}\n")  # fmt: skip
    plan = plan_of(EMPIRICAL, *GAPS, counts)
    (released,) = (node.op for node in plan.nodes if isinstance(node.op, Statistics))
    assert (released.kind, released.sigma, released.fill_sigma) == ("condition_histogram", 20.0, 25.0)
    gradients = PoissonGaussian(0.16, 3.0, 400)
    assert planned_event(plan.private, 3.0) == Composed((Gaussian(25.0), Gaussian(20.0), gradients))
    # Up to four records of one unit move the counts together.
    four = plan.private.model_copy(update={"unit": "rid", "max_contributions": 4})
    assert planned_event(four, 3.0).events[:2] == (Gaussian(6.25), Gaussian(5.0))
    assert {edge.node for edge in plan.node("sample").inputs} == {"fit", "statistics"}


@pytest.mark.parametrize(
    ("changes", "code", "word"),
    [
        (GAPS[:1], "P405-4.data-dependent-transform", "impute"),
        (GAPS[1:], "engine.backend-unsupported", "imputation"),
        ((*GAPS[1:], (GAPS[0][0], GAPS[0][1].replace("median", "{constant: 0.1}"))),
         "engine.backend-unsupported", "imputation"),
    ],
    ids=["without noise", "nothing to fill", "a constant"],
)  # fmt: skip
def test_a_fill_of_private_records_is_noisy_or_refused(outcome, changes, code, word):
    made, text = outcome(*changes)
    (found,) = (each for each in made.diagnostics if each.code == code)
    assert word in text.splitlines()[text.count("\n", 0, found.span.start)]


@pytest.mark.skipif(not available(), reason="dp-accounting is not installed")
def test_shadow_engines_are_filled_as_the_plan_is(plan_of):
    """What gaps are filled with is counted over all records once more, under noise that nobody keeps, and then for no half."""
    graph = shadow_graph(plan_of(*GAPS), Asked(shadows=8))
    known = {node.id: node for node in graph.nodes}
    assert all(edge.node in known for node in graph.nodes for edge in node.inputs)
    assert {edge.node for edge in known["impute"].inputs} == {"bind", "split", "statistics"}
    assert {edge.node for edge in known["fit.0"].inputs} == {"shadow.0"}
