"""A replay under a mechanism begins when the secret opens what the manifest commits to, and says why it does not."""

from types import SimpleNamespace

import pytest

from synthspec.backend.protocol import Identity
from synthspec.backend.secret import secret_of, settle
from synthspec.ir.ops import Bind, Statistics
from synthspec.ir.schema import Field, Schema
from synthspec.pipeline.replaying import unopened
from synthspec.spec.privacy import ConditionHistogram, DpNoise, DpSgd

SCHEMA = Schema(modality="tabular", fields=(Field(name="flag", role="condition", dtype="bool"),))
COUNTED = ConditionHistogram(multiplier=4.0)
BLOCKS = {
    "dp-noise": DpNoise(mechanism="dp-noise", unit="record", adjacency="add_remove"),
    "dp-sgd": DpSgd(mechanism="dp-sgd", unit="record", adjacency="zero_out", condition_histogram=COUNTED),
}
KEY = "k" * 64


@pytest.fixture(params=BLOCKS)
def op(request):
    return Statistics(
        schema=SCHEMA, privacy=BLOCKS[request.param], kind="marginals", fields=("flag",), target="", sigma=4.0,
        records=8, seed=3,
    )  # fmt: skip


@pytest.fixture
def told(op, tmp_path):
    """Why ``secret`` does not open what was committed to; ``told(key)`` where the manifest has another key."""
    path = tmp_path / "run.secret"
    commitment = settle(secret_of(op, path), Identity(KEY, {"backend": "core 4"})).commitment
    plan = SimpleNamespace(nodes=(SimpleNamespace(id="bind", op=Bind(source="a.csv", schema=SCHEMA)),
                                  SimpleNamespace(id="statistics", op=op)))  # fmt: skip

    def asked(key=KEY, secret=path, committed=commitment):
        # What is released beside a training is committed to with its vectors.
        beside = op.privacy.mechanism == "dp-sgd"
        vectors = (SimpleNamespace(commitment=committed),) if beside else None
        spent = SimpleNamespace(seed_commitment="0" * 64 if beside else committed, statistics=vectors)
        dag = (SimpleNamespace(node="bind", key="b" * 64), SimpleNamespace(node="statistics", key=key))
        return unopened(SimpleNamespace(dag=dag, privacy=SimpleNamespace(dp=spent)), plan, secret)

    return asked


def test_the_secret_of_the_run_opens_its_commitment(told):
    assert told() == ""


def test_the_secret_of_another_run_of_the_same_plan_does_not(told, op, tmp_path):
    settle(secret_of(op, tmp_path / "other"), Identity(KEY, {}))
    assert "does not open the commitment" in told(secret=tmp_path / "other")
    assert "does not open the commitment" in told(committed="f" * 64)


def test_the_secret_of_another_execution_does_not(told):
    assert "of another training" in told(key="o" * 64)


def test_a_secret_that_is_not_there_is_not_made(told, op, tmp_path):
    missing = tmp_path / "none"
    assert "is not there" in told(secret=missing)
    assert not secret_of(op, missing).exists()
