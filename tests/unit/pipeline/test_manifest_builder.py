"""The manifest is built from the plan, what ran, the evidence and the verdicts, and from nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import time
from datetime import date
from pathlib import Path

import pytest

from synthspec.ir.manifest_evidence import to_evidence, to_records
from synthspec.ir.plan import read_plan
from synthspec.judge import judge
from synthspec.pipeline.compiling import based, compile_spec
from synthspec.pipeline.contents import READ_BACK, promises_of, result_digests, waivers_of
from synthspec.pipeline.environment import environment
from synthspec.pipeline.front import Options, load_spec, spot
from synthspec.pipeline.manifest import build_manifest
from synthspec.pipeline.rejudging import contradictions
from synthspec.pipeline.running import RunOptions, gather, run_plan
from synthspec.sign import SigningKey, Subject, create_key

EXAMPLE = Path(__file__).parents[3] / "examples" / "digits-diffusion"
CHANGES = (
    ("engine.backend", '"null"'),
    ("sampling.n", "64"),
    ("metadata.description", "as typed"),
    ("release.near_copies", "null"),
)


class Silent:
    def start(self, label, total, unit):
        """Say nothing."""

    def advance(self, count=1, note=""):
        """Say nothing."""


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    made = create_key(tmp_path_factory.mktemp("config"), "test")
    assert isinstance(made, SigningKey)
    return made


@pytest.fixture(scope="module")
def plan():
    compiled = load_spec(spot(EXAMPLE / "spec.yaml"), Options(today=date(2026, 11, 22), overrides=CHANGES)).then(
        compile_spec
    )
    assert compiled.value is not None, compiled.diagnostics
    return compiled.value


@pytest.fixture(scope="module")
def made(plan, key, tmp_path_factory):
    """A run without training, with its store."""
    folder = tmp_path_factory.mktemp("made")
    options = RunOptions(store=folder / "store", out=folder / "run", base=EXAMPLE, key=key)
    done = run_plan(plan, options, Silent())
    assert done.value is not None, done.diagnostics
    return done.value


def subjects(manifest_folder: Path) -> tuple[Subject, ...]:
    return (
        Subject(name="evidence.json", sha256="1" * 64, size=1),
        Subject(name="spec.resolved.yaml", sha256="2" * 64, size=2),
        Subject(name="weights/engine.safetensors", sha256="3" * 64, size=3),
    )


@pytest.fixture
def build(plan, made, key, monkeypatch):
    """The manifest of the run at a fixed time, with parts replaced."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    evidence = gather(plan, made.execution)

    def built(**changed):
        parts = {
            "plan": plan,
            "execution": made.execution,
            "found": evidence,
            "verdicts": judge(promises_of(plan), evidence),
            "subjects": subjects(made.folder),
            "key": key,
        }
        return build_manifest(**(parts | changed))

    return built


def test_the_same_parts_give_the_same_manifest(build):
    assert build() == build()
    assert build().trace.timestamp == "2023-11-14T22:13:20Z"


def test_the_verdict_and_the_gate_are_those_of_the_verdicts(build, made):
    manifest = build()
    assert manifest.verdict == "FAIL"
    assert to_records(manifest.contracts) == made.verdicts.records
    assert (manifest.gate.fidelity_ok, manifest.gate.contract_ok) == (
        made.verdicts.gate.fidelity_ok,
        made.verdicts.gate.contract_ok,
    )


def test_every_figure_of_the_evidence_is_there_and_no_other(build, plan, made):
    def told(evidence):
        return {
            figure.name: (dataclasses.replace(figure, details=()), dict(figure.details)) for figure in evidence.figures
        }

    assert told(to_evidence(build().metrics)) == told(gather(plan, made.execution))


def test_figures_and_verdicts_come_from_what_is_given(build, plan, made):
    evidence = gather(plan, made.execution)
    fewer = dataclasses.replace(evidence, figures=tuple(f for f in evidence.figures if f.name != "MI"))
    manifest = build(found=fewer, verdicts=judge(promises_of(plan), fewer))
    assert "MI" not in {metric.name for metric in manifest.metrics}
    assert (
        manifest.privacy.mi_risk is None if hasattr(manifest.privacy, "mi_risk") else manifest.privacy.MI_risk is None
    )
    assert {entry.id: entry.result for entry in manifest.contracts}["C40-516"] == "unproven"


def test_how_long_it_took_and_where_it_lay_is_nowhere_in_it(build, made, tmp_path):
    """Neither seconds nor folders: artifacts moved elsewhere and other wall times give the same manifest."""
    moved = []
    for number, node in enumerate(made.execution.nodes):
        folder = shutil.copytree(node.artifact.folder, tmp_path / f"n{number}")
        artifact = dataclasses.replace(node.artifact, folder=folder)
        moved.append(dataclasses.replace(node, artifact=artifact, seconds=1e6 + number))
    assert build(execution=dataclasses.replace(made.execution, nodes=tuple(moved))) == build()


def test_where_the_plan_file_lay_is_not_in_it(build, plan):
    assert build(plan=based(plan, Path("/a/b"), Path("/a/c"))) == build()


def test_the_digests_of_files_come_from_the_subjects(build, made):
    manifest = build()
    assert manifest.spec.digest.sha256 == "2" * 64
    assert [weight.sha256 for weight in manifest.deep.weights] == ["3" * 64]
    recorded = {file.name: file.sha256 for node in made.execution.nodes for file in node.record.files}
    for name, sha256 in result_digests(manifest).items():
        assert recorded[name] == sha256
    assert set(result_digests(manifest)) == {"weights/engine.safetensors", "samples.npz", "samples.png"}


def test_the_graph_of_what_ran_is_that_of_the_plan(build, plan, made):
    manifest = build()
    assert [node.node for node in manifest.dag] == [run.node for run in made.execution.nodes]
    outputs = {node.node: made.execution.node(node.node).record.digest for node in manifest.dag}
    for node in manifest.dag:
        edges = {edge.port: outputs[edge.node] for edge in plan.node(node.node).inputs}
        assert {each.name: each.digest.sha256 for each in node.inputs} == edges
    assert {each.name for each in manifest.dependencies} == {"sklearn://digits"}


def test_what_the_plan_says_is_what_the_manifest_says(build, plan):
    manifest = build()
    assert manifest.ir.digest.sha256 == plan.digest
    assert manifest.spec.canonical_digest == plan.spec_digest
    assert tuple((each.path, each.value) for each in manifest.overrides) == CHANGES
    assert dict(manifest.randomness.seeds) == {"training": "20261122", "sampling": "7", "split": "11"}
    assert (manifest.randomness.rng, manifest.randomness.solver, manifest.randomness.NFE) == (
        "philox",
        "dpmsolver++",
        40,
    )
    assert manifest.generation.controls["n"] == 64
    assert manifest.generation.controls["cfg_convention"] == "S405-6"
    assert manifest.deep.noise_schedule == {"name": "cosine", "train_steps": 1000, "zero_terminal_snr": False}
    assert manifest.generation.schedule == {"name": "cosine", "train_steps": 1000, "zero_terminal_snr": False}
    assert manifest.dataset.n_real == 1797
    assert manifest.dataset.n_syn == 64
    assert manifest.waivers == waivers_of(plan) == ()


def test_two_runs_of_a_plan_trace_to_one_id(build, plan, made, key, tmp_path):
    options = RunOptions(store=tmp_path / "store", out=tmp_path / "run", base=EXAMPLE, key=key)
    again = run_plan(plan, options, Silent()).value
    assert again is not None
    assert again.manifest.trace.TraceID == made.manifest.trace.TraceID
    assert result_digests(again.manifest) == result_digests(made.manifest)
    other = dataclasses.replace(plan, name="other")
    assert build(plan=other).trace.TraceID != made.manifest.trace.TraceID


def test_a_fresh_run_contradicts_itself_nowhere(made):
    plan = read_plan((made.folder / "plan.json").read_bytes())
    assert plan.base == ""
    names = {path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*") if path.is_file()}
    signed = tuple(
        Subject(name=output.name, sha256=output.digest.sha256, size=output.size or 0)
        for node in made.manifest.dag
        for output in node.outputs
        if output.name in names
    )
    content = {name: (made.folder / name).read_bytes() for name in READ_BACK}
    spec = content["spec.resolved.yaml"]
    own = Subject(name="spec.resolved.yaml", sha256=hashlib.sha256(spec).hexdigest(), size=len(spec))
    assert contradictions(made.manifest, (*signed, own), content) == ()
    assert [each.where for each in contradictions(made.manifest, signed, content)] == ["/spec"], (
        "it names a signed file"
    )


def test_of_the_variables_only_those_that_change_numbers_are_told(monkeypatch):
    for name in (
        "OMP_NUM_THREADS",
        "MKL_CBWR",
        "ATEN_CPU_CAPABILITY",
        "PYTHONHASHSEED",
        "AWS_SECRET_ACCESS_KEY",
        "HOME",
    ):
        monkeypatch.setenv(name, f"value of {name}")
    monkeypatch.setenv("KMP_INIT_AT_FORK", "FALSE")
    told = environment("null", "1", {"numpy": "2"}, threads=3)
    assert {"OMP_NUM_THREADS", "MKL_CBWR", "ATEN_CPU_CAPABILITY", "PYTHONHASHSEED"} <= set(told.variables)
    assert not {"AWS_SECRET_ACCESS_KEY", "HOME", "KMP_INIT_AT_FORK"} & set(told.variables)
    text = told.model_dump_json()
    assert "value of AWS_SECRET_ACCESS_KEY" not in text
    assert os.uname().nodename not in (told.os, told.kernel, told.machine)
    assert told.threads == {"torch": 3}
    assert told.backend.facts == {"numpy": "2"}


def test_the_environment_is_the_same_when_it_is_asked_again(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert environment("null", "1", {}, threads=1) == environment("null", "1", {}, threads=1)
