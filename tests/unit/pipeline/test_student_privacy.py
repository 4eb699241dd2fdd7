"""P405-10: the privacy of a student is that of its own records: who learned members by heart is caught, not its teacher."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from synthspec.backend.artifacts import DATA
from synthspec.backend.dataset import Dataset, read_dataset, write_dataset
from synthspec.backend.engines import rows_of
from synthspec.execute import local
from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, load_spec, spot
from synthspec.pipeline.running import RunOptions, gather, run_plan
from synthspec.sign import SigningKey, create_key
from synthspec_diffusers import kernels

FAST = Path(__file__).parents[3] / "examples" / "digits-diffusion-fast" / "spec.yaml"
SMALL = (
    ("engine.architecture", "{name: mlp, hidden: [16]}"),
    ("training.epochs", "1"),
    ("sampling", "{n: 256, seed: 7, rng: philox, solver: ddim, NFE: 4}"),
    ("acceleration", "[{kind: distill, method: teacher_student, NFE: 2, steps: 1}]"),
    ("release", "{licence: CC-BY-4.0}"),
)


class Silent:
    def start(self, label, total, unit):
        """Say nothing."""

    def advance(self, count=1, note=""):
        """Say nothing."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of the small example, its trained engine shared."""
    key = create_key(tmp_path_factory.mktemp("config"), "test")
    assert isinstance(key, SigningKey)

    def ran(name, *overrides):
        plan = load_spec(spot(FAST), Options(today=date(2026, 11, 22), overrides=(*SMALL, *overrides))).then(
            compile_spec
        )
        assert plan.value is not None, plan.diagnostics
        folder = tmp_path_factory.mktemp(name)
        options = RunOptions(store=folder / "store", out=folder / "run", base=FAST.parent, key=key)
        return plan.value, run_plan(plan.value, options, Silent())

    return ran


@pytest.fixture
def memorised(monkeypatch):
    """Students whose records are rows of the training split; the engines before them stay as they are."""
    honest = kernels.KERNELS["sample"]

    def sample(op, inputs, context):
        honest(op, inputs, context)
        if op.made_by:
            drawn, rows = read_dataset(context.out / DATA), rows_of(inputs, "train")
            by_heart = np.arange(len(drawn)) % len(rows)
            content = {field.name: rows[field.name][by_heart] for field in op.fit.schema.with_role("content")}
            write_dataset(context.out, Dataset({**drawn.columns, **content}))

    monkeypatch.setitem(kernels.KERNELS, "sample", sample)
    monkeypatch.setattr(local, "found_again", lambda backend: False)  # another process would draw the honest records


def judged(done, contract_id):
    (record,) = [each for each in done.verdicts.records if each.id == contract_id]
    return {bound.bound.metric: bound.result for bound in record.bounds}


def test_a_student_that_memorised_is_caught_though_its_teacher_was_fine(run, memorised):
    plan, outcome = run("memorised")
    assert outcome.value is not None, outcome.diagnostics
    done, found = outcome.value, gather(plan, outcome.value.execution)
    # 256 copies of 1,258 members: attacks on single records stay below mi_max, what is asked of the law does not.
    assert judged(done, "C40-516") == {"MI": "held", "student_violations": "broken"}
    assert done.manifest.verdict == "FAIL"
    assert not done.manifest.gate.privacy_ok
    student, teacher = found.get("MI"), found.get("teacher.MI")
    assert student.value > 0.1 > teacher.value
    assert student.detail("copied_members") > 0.15
    assert (student.detail("copied_non_members"), teacher.detail("copied_members")) == (0.0, 0.0)
    told = found.get("set_MI_delta")
    assert told.lower > 0.0
    assert {told.name, "student_violations", "teacher.MI", "MI_delta"} <= {
        metric.name for metric in done.manifest.metrics
    }


def test_near_copies_of_a_student_are_not_let_through(run, memorised):
    _, outcome = run("screened", ("release", "{licence: CC-BY-4.0, near_copies: {tau_nn: 0.02, action: resample}}"))
    assert outcome.value is None
    assert [each.code for each in outcome.diagnostics] == ["P405-2.too-few-accepted"]
