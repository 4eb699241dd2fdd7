"""Weights that a run did not make: checked before anything runs, named in the manifest, and those of a run verified first."""

import hashlib
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import torch

from synthspec.ir.manifest_base import Digest
from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, load_spec, spot
from synthspec.pipeline.rejudging import contradictions
from synthspec.pipeline.running import RunOptions, run_plan
from synthspec.pipeline.starting import unverified_start
from synthspec.pipeline.verifying import verify

EXAMPLES = Path(__file__).parents[3] / "examples"
SMALL = (
    ("engine.architecture", "{name: mlp, hidden: [8], latent_dim: 2, likelihood: discretized_logistic}"),
    ("training.epochs", "1"),
    ("objective", "{measure: elbo}"),
    ("sampling.n", "40"),
    ("evaluation.metrics", "[recon_PSNR, posterior_collapse_rate, covg, FID, KID, recall, mode_drop, MI]"),
)
WEIGHTS = "weights/vae.safetensors"


class Silent:
    def start(self, label, total, unit):
        """Say nothing."""

    def advance(self, count=1, note=""):
        """Say nothing."""


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def compiled(folder, *overrides):
    outcome = load_spec(spot(folder / "spec.yaml"), Options(today=date(2026, 11, 22), overrides=(*SMALL, *overrides)))
    planned = outcome.then(compile_spec)
    assert planned.value is not None, planned.diagnostics
    return planned.value


def ran(plan, folder, out, on_node=lambda _: None):
    options = RunOptions(store=folder / "store", out=folder / out, base=folder)
    return run_plan(plan, options, Silent(), on_node)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with the spec of digits, and a run of it under ``parent``, signed by a key of this machine."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHSPEC_CONFIG_DIR", str(folder / "config"))
        patch.setenv("SYNTHSPEC_STATE_DIR", str(folder / "state"))
        yield furnished(folder)


def furnished(folder):
    shutil.copy(EXAMPLES / "digits-diffusion" / "digits.sref.yaml", folder)
    text = (EXAMPLES / "digits-vae" / "spec.yaml").read_text()
    (folder / "spec.yaml").write_text(text.replace("../digits-diffusion/digits.sref.yaml", "digits.sref.yaml"))
    done = ran(compiled(folder), folder, "parent")
    assert done.value is not None, done.diagnostics
    return folder


def start(folder, run="parent", sha256=None, weights=WEIGHTS):
    sha256 = sha256 or digest(folder / run / WEIGHTS)
    stated = f"{{run: {run}, weights: {weights}, sha256: {sha256}, provenance: public, id: digits}}"
    return ("training.init_from", stated)


@pytest.fixture(scope="module")
def child(home):
    plan = compiled(home, start(home), ("training.seed", "2"))
    done = ran(plan, home, "child")
    assert done.value is not None, done.diagnostics
    return plan, done.value


def test_the_manifest_says_what_the_training_started_from(home, child):
    _, result = child
    (step,) = result.manifest.deep.lineage
    assert (step.operation, step.parent.sha256, step.reevaluated) == (
        "finetune",
        digest(home / "parent" / WEIGHTS),
        True,
    )
    assert step.parameters == {"run": "parent", "weights": WEIGHTS, "provenance": "public", "id": "digits"}
    read = {each.name: each.digest.sha256 for each in result.manifest.dependencies}
    assert read[f"parent/{WEIGHTS}"] == step.parent.sha256
    assert verify(result.folder).refusals == ()


def test_a_lineage_without_its_start_or_with_another_does_not_follow_from_the_files(child):
    _, result = child
    checked = verify(result.folder)
    content = {each.name: (result.folder / each.name).read_bytes() for each in checked.statement.subjects}
    deep = result.manifest.deep
    other = deep.lineage[0].model_copy(update={"parent": Digest(sha256="0" * 64)})
    for lineage in ((), (other,)):
        manifest = result.manifest.model_copy(update={"deep": deep.model_copy(update={"lineage": lineage})})
        found = contradictions(manifest, checked.statement.subjects, content)
        assert {refusal.where for refusal in found} == {"/deep/lineage"}
    assert contradictions(result.manifest, checked.statement.subjects, content) == ()


def test_another_content_under_the_same_name_is_refused_and_nothing_runs(home):
    plan = compiled(home, ("training.init_from", f"{{weights: parent/{WEIGHTS}, sha256: {'ab' * 32}}}"))
    ran_nodes = []
    found = ran(plan, home, "never", ran_nodes.append)
    (fault,) = found.diagnostics
    assert fault.code == "data.digest"
    assert f"parent/{WEIGHTS} has SHA-256" in fault.message
    assert ran_nodes == []
    assert not (home / "never").exists()


def test_a_run_that_was_changed_since_is_no_start(home):
    changed = home / "changed"
    shutil.copytree(home / "parent", changed)
    data = bytearray((changed / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (changed / WEIGHTS).write_bytes(data)
    found = ran(compiled(home, start(home, "changed")), home, "never")
    assert {fault.code for fault in found.diagnostics} == {"weights.run-unverified"}
    assert "does not verify" in found.diagnostics[0].message
    assert not (home / "never").exists()


def test_weights_that_the_run_did_not_sign_are_no_start(home):
    plan = compiled(home, start(home))
    (fault,) = unverified_start(with_start(plan, weights="evidence.json"), home)
    assert "signed evidence.json with SHA-256" in fault.message
    (fault,) = unverified_start(with_start(plan, weights="weights/other.safetensors"), home)
    assert fault.help == "its weights: weights/first_epoch.safetensors, weights/vae.safetensors"
    (fault,) = unverified_start(with_start(plan, run="nowhere"), home)
    assert "nowhere is no folder" in fault.message
    assert unverified_start(plan, home) == ()
    assert unverified_start(with_start(plan, run=None), home) == ()


def with_start(plan, **changes):
    def changed(node):
        if node.op.op != "fit":
            return node
        begun = node.op.training.init_from.model_copy(update=changes)
        return replace(node, op=replace(node.op, training=node.op.training.model_copy(update={"init_from": begun})))

    return replace(plan, nodes=tuple(map(changed, plan.nodes)))


def test_features_that_cannot_be_opened_are_told_of_once_before_anything_runs(home):
    torch.save({"fc.bias": torch.zeros(3)}, home / "pickle.safetensors")
    features = f"{{name: inception, weights: pickle.safetensors, sha256: {digest(home / 'pickle.safetensors')}}}"
    ran_nodes = []
    found = ran(compiled(home, ("evaluation.features", features)), home, "never", ran_nodes.append)
    (fault,) = found.diagnostics
    assert fault.code == "weights.unfit"
    assert "a pickle" in fault.message
    features = f"{{name: inception, weights: pickle.safetensors, sha256: {'ab' * 32}}}"
    (fault,) = ran(compiled(home, ("evaluation.features", features)), home, "never", ran_nodes.append).diagnostics
    assert fault.code == "data.digest"
    assert ran_nodes == []
    assert not (home / "never").exists()
