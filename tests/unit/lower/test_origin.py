"""What samples say of themselves: the digest of what made them, which no threshold and no name of a contract changes."""

from datetime import date
from pathlib import Path

import pytest

from synthspec.ir.ops import records_digest
from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, load_spec, spot

EXAMPLES = Path(__file__).parents[3] / "examples"


def planned(name, *overrides):
    options = Options(today=date(2026, 6, 1), overrides=overrides)
    plan = load_spec(spot(EXAMPLES / name / "spec.yaml"), options).then(compile_spec).value
    assert plan is not None
    return plan


def origin(*words):
    return planned(*words).node("export").op.origin


def leading_to(plan, last):
    """Ids of the nodes that `last` needs, and its own."""
    inputs = {node.id: [edge.node for edge in node.inputs] for node in plan.nodes}
    found, waiting = set(), [last]
    while waiting:
        found.add(here := waiting.pop())
        waiting += inputs[here]
    return found


def test_the_digest_can_be_computed_again_from_the_plan():
    plan = planned("digits-diffusion")
    export = plan.node("export")
    needed = leading_to(plan, export.inputs[0].node)
    assert export.op.origin.records == records_digest(node for node in plan.nodes if node.id in needed)
    assert (export.op.origin.stream, export.op.origin.version) == (plan.name, plan.version)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("contracts.C40-511.tol_FID", "61"), True),
        (("metadata.description", "other words"), True),
        (("sampling.seed", "99"), False),
        (("training.seed", "99"), False),
    ],
)
def test_it_is_that_of_the_records_alone(change, same):
    assert (origin("digits-diffusion") == origin("digits-diffusion", change)) is same


def test_under_a_mechanism_no_digest_of_operations_goes_out():
    found = origin("cancer-dp-vae", ("release", "{format: parquet}"))
    assert found.records == ""
    assert found.stream == "cancer-dp-vae"


def test_what_has_no_place_for_it_says_nothing_unless_a_sidecar_is_asked_for():
    assert origin("cancer-dp-vae") is None
    assert origin("digits-diffusion", ("release.provenance", "none")) is None
    plan = planned("cancer-dp-vae", ("release", "{provenance: sidecar}"))
    assert plan.node("export").op.sidecar
