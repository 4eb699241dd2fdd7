"""P405-10 from spec to manifest: both engines are evaluated, and neither a plan nor a manifest can leave that out."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from synthspec.execute import problems
from synthspec.ir.evidence import Figure
from synthspec.ir.ops import Judge, Sample
from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, load_spec, spot
from synthspec.pipeline.rejudging import contradictions
from synthspec.pipeline.running import RunOptions, backends, gather, run_plan
from synthspec.sign import SigningKey, create_key
from synthspec.sign.claims import consistency

EXAMPLES = Path(__file__).parents[3] / "examples"
FAST = EXAMPLES / "digits-diffusion-fast" / "spec.yaml"
CHAIN = "[{kind: distill, method: teacher_student, NFE: 1, steps: 1, keep: {FID_ratio: 1.5}}, {kind: quantize, dtype: int8}]"
SMALL = (
    ("engine.architecture", "{name: mlp, hidden: [16]}"),
    ("training.epochs", "1"),
    ("sampling", "{n: 64, seed: 7, rng: philox, solver: ddim, NFE: 4}"),
    ("acceleration", CHAIN),
)


class Silent:
    def start(self, label, total, unit):
        """Say nothing."""

    def advance(self, count=1, note=""):
        """Say nothing."""


def compiled(*overrides):
    outcome = load_spec(spot(FAST), Options(today=date(2026, 11, 22), overrides=overrides)).then(compile_spec)
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


@pytest.fixture(scope="module")
def plan():
    return compiled(*SMALL)


@pytest.fixture(scope="module")
def made(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    key = create_key(tmp_path_factory.mktemp("config"), "test")
    assert isinstance(key, SigningKey)
    options = RunOptions(store=folder / "store", out=folder / "run", base=FAST.parent, key=key)
    done = run_plan(plan, options, Silent())
    assert done.value is not None, done.diagnostics
    return done.value


def test_the_example_compiles_to_an_evaluation_of_both_engines():
    example = compiled()
    ids = {node.id for node in example.nodes}
    assert {"teacher.sample", "teacher.enforce", "teacher.latency", "teacher.measure", "compare"} <= ids
    student, teacher = example.node("sample").op, example.node("teacher.sample").op
    assert isinstance(student, Sample)
    assert isinstance(teacher, Sample)
    assert (student.solver.NFE, student.w_cfg, teacher.solver.NFE, teacher.w_cfg) == (4, 0.0, 40, 0.5)
    assert (student.seed, student.n, student.block) == (teacher.seed, teacher.n, teacher.block)
    ours, theirs = example.node("measure").op, example.node("teacher.measure").op
    assert replace(ours, w_cfg=None) == replace(theirs, w_cfg=None)
    bounds = {bound.metric: bound for promise in example.node("judge").op.promises for bound in promise.bounds}
    assert (bounds["FID_ratio"].limit, bounds["FID_ratio"].at) == (1.5, "upper")


def test_a_threshold_makes_no_new_engine(plan):
    other = compiled(*SMALL[:3], ("acceleration", CHAIN.replace("1.5", "1.4")))
    digests = {node.id: node.digest for node in plan.nodes}
    assert {node.id for node in other.nodes if digests[node.id] != node.digest} == {"judge", "emit"}


def test_the_figures_of_every_engine_stand_in_the_evidence_of_the_last(plan, made):
    found = gather(plan, made.execution)
    for name in ("NFE", "FID", "KID", "covg", "MI", "latency_ms_p99"):
        for engine in ("", "teacher.", "distill-1."):
            assert isinstance(found.get(engine + name), Figure), engine + name
    assert [found.get(engine + "NFE").value for engine in ("", "distill-1.", "teacher.")] == [1, 1, 4]
    kept = found.get("KID_delta")
    assert kept.value == pytest.approx(kept.detail("accelerated") - kept.detail("teacher"))
    assert found.get("MI_delta") is not None
    judged = {bound.bound.metric for record in made.verdicts.records for bound in record.bounds}
    assert {"FID_ratio", "student_violations"} <= judged
    assert found.get("set_MI_delta").lower < 0.0, "an honest student is not flagged"
    assert not any(name.startswith("teacher.") for name in judged)


def test_what_an_acceleration_must_keep_is_a_bound_that_verification_knows(made):
    assert consistency(made.manifest) == ()


def test_the_manifest_says_where_the_engine_comes_from(made):
    distilled, rounded = made.manifest.deep.lineage
    assert (distilled.operation, rounded.operation) == ("distill", "quantize")
    assert distilled.parent.sha256 == made.execution.node("fit").record.digest
    assert rounded.parent.sha256 == made.execution.node("distill-1").record.digest
    said = dict(distilled.parameters)
    assert (said["data"], said["NFE_src"], said["NFE_tgt"], said["w_cfg_distilled"]) == ("teacher-generated", 4, 1, 0.5)
    assert said["evaluation_sha256"] == made.execution.node("compare").record.digest
    assert distilled.reevaluated
    assert rounded.reevaluated
    assert made.manifest.deep.net_evals_per_sample == 1
    assert made.manifest.deep.w_cfg == 0.0


def test_what_was_said_follows_from_the_files_and_another_lineage_does_not(made):
    content = {path.name: path.read_bytes() for path in made.folder.iterdir() if path.is_file()}
    subjects = _subjects(made.folder)
    assert contradictions(made.manifest, subjects, content) == ()
    deep = made.manifest.deep.model_copy(update={"lineage": made.manifest.deep.lineage[:1]})
    (refusal,) = contradictions(made.manifest.model_copy(update={"deep": deep}), subjects, content)
    assert refusal.where == "/deep/lineage"


def _subjects(folder):
    from synthspec.pipeline.running import _subjects as of

    return tuple(each for each in of(folder) if each.name not in ("manifest.json", "manifest.sigstore.json"))


def test_a_plan_without_the_evaluation_is_not_run(plan):
    nodes = tuple(
        replace(node, inputs=tuple(edge for edge in node.inputs if edge.node != "compare"))
        if isinstance(node.op, Judge)
        else node
        for node in plan.nodes
        if node.id != "compare"
    )
    (found,) = problems(replace(plan, nodes=nodes), backends())
    assert found.code == "P405-10.no-reevaluation"
