"""What the normative examples mean as operations, and what a change of a spec changes in its plan."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthspec.diag import Outcome
from synthspec.ir.ops import Fit, Judge, Sample
from synthspec.ir.plan import Plan, read_plan, spec_digest, write_plan
from synthspec.pipeline.compiling import based, compile_spec
from synthspec.pipeline.front import Options, Spot, load_spec, spot
from synthspec.pipeline.resolved import resolved_text

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = (
    "digits-diffusion", "digits-diffusion-fast", "digits-vae", "digits-gan", "fiber-link-flow", "cancer-dp-vae",
    "cancer-dp-marginals",
)  # fmt: skip
TODAY = date(2026, 11, 22)


def compiled(name: str, *overrides: tuple[str, str], text: str | None = None) -> Outcome[Plan]:
    path = EXAMPLES / name / "spec.yaml"
    place = spot(path) if text is None else Spot(path, "spec.yaml", text.encode())
    return load_spec(place, Options(today=TODAY, overrides=overrides)).then(compile_spec)


def plan_of(name: str, *overrides: tuple[str, str], text: str | None = None) -> Plan:
    outcome = compiled(name, *overrides, text=text)
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


def changed_nodes(name: str, *overrides: tuple[str, str]) -> set[str]:
    before, after = plan_of(name), plan_of(name, *overrides)
    digests = {node.id: node.digest for node in before.nodes}
    return {node.id for node in after.nodes if digests.get(node.id) != node.digest}


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_is_written_and_read_without_loss(name: str) -> None:
    plan = plan_of(name)
    data = write_plan(plan)
    again = read_plan(data)
    assert write_plan(again) == data
    assert again.digest == plan.digest
    assert spec_digest(again.spec, again.sref) == plan.spec_digest


@pytest.mark.parametrize("name", NAMES)
def test_the_resolved_spec_means_the_same(name: str) -> None:
    plan = plan_of(name)
    assert plan_of(name, text=resolved_text(plan.spec)).digest == plan.digest


def test_where_a_plan_lies_is_not_what_it_means() -> None:
    plan = plan_of("digits-diffusion")
    moved = based(plan, EXAMPLES / "digits-diffusion", EXAMPLES)
    assert moved.base == "digits-diffusion"
    assert moved.digest == plan.digest
    assert read_plan(write_plan(moved)).base == "digits-diffusion"


def test_the_same_meaning_in_another_layout_is_the_same_plan() -> None:
    text = (EXAMPLES / "digits-diffusion" / "spec.yaml").read_text()
    other = text.replace("SLO_latency: 2000 ms", 'SLO_latency: "2 s"').replace("lr: 1.0e-3", "lr: 0.001")
    sections = other.split("\n\n")
    assert other != text
    assert (
        plan_of("digits-diffusion", text="\n\n".join(reversed(sections))).digest == plan_of("digits-diffusion").digest
    )


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        (("metadata.description", "another"), set()),
        (("contracts.C40-511.tol_FID", "61"), {"judge", "emit"}),
        (("release.licence", "CC0-1.0"), {"emit"}),
        (
            ("evaluation.metrics", "[FID, KID, recall, covg, mode_drop, latency_ms_p99, MI]"),
            {"measure", "judge", "emit"},
        ),
        (("release.near_copies.tau_nn", "0.03"), {"enforce", "export", "measure", "judge", "emit"}),
        (
            ("sampling.n", "100"),
            {"sample", "enforce", "export", "latency", "replay", "measure", "judge", "emit"},
        ),
    ],
)
def test_a_change_reaches_what_it_concerns(override: tuple[str, str], changed: set[str]) -> None:
    assert changed_nodes("digits-diffusion", override) == changed


@pytest.mark.parametrize(
    "override", [("training.seed", "5"), ("training.epochs", "61"), ("engine.noise_schedule.name", "linear")]
)
def test_what_concerns_training_retrains(override: tuple[str, str]) -> None:
    assert "fit" in changed_nodes("digits-diffusion", override)


def test_guidance_and_its_bounds_do_not_retrain() -> None:
    assert "fit" not in changed_nodes("digits-diffusion", ("conditioning.guidance.w_cfg", "1.0"))
    assert "fit" in changed_nodes("digits-diffusion", ("conditioning.guidance.drop_rate", "0.2"))


def test_the_steps_follow_from_the_budget() -> None:
    guided = plan_of("digits-diffusion").node("sample").op
    plain = plan_of("digits-diffusion", ("conditioning.guidance.w_cfg", "0.0")).node("sample").op
    assert isinstance(guided, Sample)
    assert isinstance(plain, Sample)
    assert guided.solver is not None
    assert plain.solver is not None
    assert (guided.solver.steps, plain.solver.steps) == (20, 40)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 5000), attempts=st.integers(1, 5))
def test_the_reserve_stays_within_the_declared_attempts(n: int, attempts: int) -> None:
    overrides = (("sampling.n", str(n)), ("conditioning.rejection.max_attempts", str(attempts)))
    op = plan_of("digits-diffusion", *overrides).node("sample").op
    assert isinstance(op, Sample)
    assert n <= op.candidates <= n * attempts


def test_all_nine_contracts_are_promised_with_their_numbers_in_the_figures_units() -> None:
    judge = plan_of("digits-diffusion").node("judge").op
    assert isinstance(judge, Judge)
    assert [promise.id for promise in judge.promises] == [f"C40-{number}" for number in range(511, 520)]
    latency = next(bound for promise in judge.promises for bound in promise.bounds if bound.metric == "latency_ms_p99")
    assert (latency.limit, latency.unit, latency.at) == (2000.0, "ms", "upper")
    assert all(promise.not_owed for promise in judge.promises if promise.id in ("C40-512", "C40-513", "C40-517"))


def test_a_waiver_cannot_supply_what_is_missing() -> None:
    waiver = "[{id: P405-8.seed-missing, reason: none yet, approver: a, expires: '2027-01-01'}]"
    text = (EXAMPLES / "digits-diffusion" / "spec.yaml").read_text().replace("  seed: 20261122\n", "")
    outcome = compiled("digits-diffusion", ("waivers", waiver), text=text)
    assert outcome.value is None
    assert any("/training/seed is missing" in finding.message for finding in outcome.diagnostics)


def test_an_op_holds_no_name_of_the_spec() -> None:
    fit = plan_of("digits-diffusion").node("fit").op
    renamed = plan_of("digits-diffusion", ("metadata.name", "other")).node("fit").op
    assert isinstance(fit, Fit)
    assert fit == renamed
    assert replace(fit, drop_rate=0.5) != fit
