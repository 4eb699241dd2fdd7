"""Which engines are asked about single records for the membership attack, and about which."""

from datetime import date
from pathlib import Path

import pytest

from synthspec.ir.ops import Assess
from synthspec.ir.plan import Plan
from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, load_spec, spot

EXAMPLES = Path(__file__).parents[3] / "examples"
TODAY = date(2026, 11, 22)


def plan_of(name: str, *overrides: tuple[str, str]) -> Plan:
    outcome = load_spec(spot(EXAMPLES / name / "spec.yaml"), Options(today=TODAY, overrides=overrides)).then(
        compile_spec
    )
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


def asked(plan: Plan) -> dict[str, Assess]:
    return {node.id: node.op for node in plan.nodes if isinstance(node.op, Assess)}


@pytest.mark.parametrize("name", ["digits-vae", "digits-diffusion", "fiber-link-flow", "cancer-dp-vae"])
def test_engines_that_can_say_it_score_members_and_others_and_measure_reads_it(name: str) -> None:
    plan = plan_of(name)
    (op,) = asked(plan).values()
    attack = plan.spec.evaluation.membership_attack
    assert op.scored == (attack.members, attack.non_members)
    measure = next(node for node in plan.nodes if node.id == "measure")
    assert ("assessed", "assess") in [(edge.port, edge.node) for edge in measure.inputs]
    # The records that the attack looks at follow from the seed: both must have the same.
    assert op.seed == measure.op.seed


def test_who_are_members_is_what_the_spec_says() -> None:
    plan = plan_of("digits-vae", ("evaluation.membership_attack", "{members: train, non_members: test}"))
    assert asked(plan)["assess"].scored == ("train", "test")


def test_a_gan_is_released_without_its_critic_and_is_not_asked() -> None:
    assert asked(plan_of("digits-gan")) == {}


def test_of_an_accelerated_engine_both_are_asked() -> None:
    found = asked(plan_of("digits-diffusion-fast"))
    assert sorted(found) == ["assess", "teacher.assess"]
    assert len({(op.scored, op.seed) for op in found.values()}) == 1


def test_under_dp_noise_conditions_are_those_that_were_released() -> None:
    plan = plan_of("cancer-dp-marginals")
    (node,) = (node for node in plan.nodes if isinstance(node.op, Assess))
    edges = {edge.port: edge.node for edge in node.inputs}
    assert (edges["drawn"], edges["split"]) == ("statistics", "split")
