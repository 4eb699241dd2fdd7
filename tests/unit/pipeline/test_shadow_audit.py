"""`audit --shadows` from a spec to its answer: engines that know nothing, that know all, and mechanisms that leak."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from datetime import date
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from synthspec.backend.artifacts import DATA, FIGURES, SPLIT, write_report
from synthspec.backend.dataset import Dataset, read_dataset, read_rows
from synthspec.backend.null_kernels import KERNELS, UniformSampler
from synthspec.backend.scores import write_scores
from synthspec.execute.core import statistics
from synthspec.ir.ops import Accelerate, Fit
from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, load_spec, spot
from synthspec.pipeline.shadow_graph import Asked, shadow_graph
from synthspec.pipeline.shadowing import Where, audit_shadows

SREF = """\
apiVersion: synthspec/v1
kind: SRef
metadata: {name: plates, version: 1.0.0}
modality: tabular
fields:
  - {name: rid, role: key, dtype: int64}
  - {name: side, role: content, dtype: float64, unit: mm, range: [-9, 9]}
  - {name: edge, role: content, dtype: float64, unit: mm, range: [-9, 9]}
  - {name: rim, role: content, dtype: float64, unit: mm, range: [-9, 9]}
keys: {pk: [rid]}
"""
SPEC = """\
apiVersion: synthspec/v1
kind: EngineSpec
metadata: {{name: plates, version: 1.0.0, owner: tests}}
sref: plates.sref.yaml
data:
  source: plates.csv
  split: {{method: random, train: 0.6, val: 0.2, test: 0.2, seed: 1}}
engine: {engine}
objective: {{measure: gan}}
training: {{steps: 4, batch_size: 16, optimizer: {{name: adam, lr: 1.0e-3}}, seed: 3}}
stability:
  monitors: [{{signal: grad_norm, trip: grad_norm > 1000, window: 5, action: stop}}]
  convergence: {{signal: step, max: budget}}
  rollback: {{to: last, max_rollbacks: 0}}
privacy: {privacy}
sampling: {{n: 200, seed: 7, rng: philox, block: 64}}
evaluation:
  reference: test
  metrics: [W1, covg, mode_drop, MI]
  membership_attack: {{members: train, non_members: val}}{disclosure}
contracts:
  C40-511: {{tol_W1: 9.0}}
  C40-515: {{covg_min: 0.0, tol_mode_drop: 1.0}}
  C40-516: {{mi_max: 0.3{budget}}}
  C40-518: {{}}
  C40-519: {{}}
"""
NULL = "{family: gan, backend: 'null', architecture: {name: mlp, hidden: [4], latent_dim: 2}}"
CONDITIONED = """conditioning:
  variables: {diagnosis: {interface: categorical, distribution: empirical, coverage_min: 1.0}}
"""
NOISE = """{mechanism: dp-noise, unit: record, adjacency: ADJACENCY, dataset_size: {public: true, value: 144},
  statistics: [marginals], eps_budget: 1.0, delta: 1.0e-6, bounds: sref, accountant: analytic, ledger: plates}"""


def written(folder: Path, rows: int = 240, engine: str = NULL, private: str = "") -> Path:
    r = np.random.default_rng(0)
    lines = [f"{i},{a:.3f},{b:.3f},{c:.3f}" for i, (a, b, c) in enumerate(r.standard_normal((rows, 3)) * 2)]
    (folder / "plates.csv").write_text("\n".join(["rid,side,edge,rim", *lines]) + "\n")
    (folder / "plates.sref.yaml").write_text(SREF)
    noise = NOISE.replace("ADJACENCY", private)
    filled = SPEC.format(
        engine=engine,
        privacy=noise if private else "{mechanism: none}",
        disclosure="\n  disclosure: restricted" if private else "",
        budget=", eps_budget: 1.0, delta_budget: 1.0e-6" if private else "",
    )
    (folder / "spec.yaml").write_text(filled)
    return folder / "spec.yaml"


def audit(spec: Path, *words: object) -> tuple[int, dict[str, object]]:
    """The exit code and the facts."""
    from synthspec.cli.main import run

    said = ("synthspec", "audit", spec, "--format", "json", "-q", "--store", spec.parent / "store", *words)
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", [str(word) for word in said]),
    ):
        try:
            run()
        except SystemExit as leaving:
            code = int(leaving.code or 0)
    told = out.getvalue()
    return code, json.loads(told) if told.startswith("{") else {"said": told + err.getvalue()}


def by_heart(sampler, block, size):
    """An engine that gives its records away, each several times over."""
    rows = (np.arange(size) + block * sampler.op.block) % len(sampler.training)
    return type(right(sampler, block, size))(data=Dataset(dict(sampler.training.take(rows).columns)))


right = UniformSampler.draw


@pytest.fixture
def memorising(monkeypatch):
    monkeypatch.setattr(UniformSampler, "draw", by_heart)


def test_engines_that_learn_nothing_tell_nothing(tmp_path):
    code, facts = audit(written(tmp_path), "--shadows", 8)
    assert code == 0
    assert (facts["auc"], facts["advantage"], facts["verdict"]) == (0.5, 0.0, "nothing found")
    assert (facts["records"], facts["targets"], facts["decisions"]) == (144, 36, 8 * 36)
    assert facts["mi_max"] == 0.3
    assert str(facts["note"]).startswith("fewer than 16 engines")


def test_an_engine_that_knows_its_records_by_heart_is_caught(tmp_path, memorising):
    code, facts = audit(written(tmp_path), "--shadows", 8, "--canaries", 20)
    assert code == 1
    assert facts["auc_lower"] > 0.9
    assert facts["canary_auc_lower"] > 0.8
    assert facts["verdict"] == "defect"
    assert str(facts["defects"]).startswith("['mi_max: ")


def test_workers_change_nothing_and_a_second_audit_finds_its_engines(tmp_path, memorising):
    spec = written(tmp_path)
    plan = load_spec(spot(spec), Options(today=date(2026, 11, 22))).then(compile_spec).value
    told, heard = [], []

    def asked(store, workers):
        where = Where(store=tmp_path / store, root=tmp_path, progress=Quiet(), workers=workers, on_node=heard.append)
        return audit_shadows(plan, Asked(shadows=8), where).value

    for store, workers in (("one", 1), ("three", 3), ("one", 2)):
        heard.clear()
        told.append(asked(store, workers))
    assert told[0] == told[1] == told[2]
    assert all(node.reused for node in heard)
    assert audit(spec, "--shadows", 8, "--seed", 8)[1] != audit(spec, "--shadows", 8)[1]


class Quiet:
    def start(self, label, total, unit): ...

    def advance(self, count=1, note=""): ...


@pytest.mark.parametrize("adjacency", ["zero_out", "replace_one"])
def test_noisy_statistics_keep_their_claim(tmp_path, memorising, adjacency):
    """Engines that know by heart what was released of the records know little of the records."""
    code, facts = audit(written(tmp_path, private=adjacency), "--shadows", 8)
    assert code == 0, facts
    assert 0.99 < facts["eps_claimed"] <= 1.0
    assert facts["eps_lower_bound"] < 1.0
    assert facts["auc_lower"] < facts["auc_allowed"] < 0.65
    assert str(facts["disclosure"]).startswith("restricted")


def test_a_mechanism_that_lets_records_through_is_a_violation(tmp_path, memorising, monkeypatch):
    looked = statistics._looked

    def through(op, cells, train, noise):
        drawn = looked(op, cells, train, noise)
        return tuple(np.resize(train[cell.name], len(each)) for cell, each in zip(cells, drawn, strict=True))

    monkeypatch.setattr(statistics, "_looked", through)
    code, facts = audit(written(tmp_path, private="zero_out"), "--shadows", 16)
    assert code == 1, json.dumps(facts)
    assert facts["eps_lower_bound"] > facts["eps_claimed"]
    assert [str(each).partition(":")[0] for each in facts["defects"]][:3] == ["guesses", "auc", "advantage"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--shadows", 1), "--shadows 1: engines come in pairs"),
        (("--shadows", 17), "even number"),
        (("--shadows", 4096), "8 to 1024"),
        (("--targets", 30), "--targets is for --shadows"),
        (("--shadows", 8, "--canaries", 3), "--canaries 3"),
        (("--canaries", 3), "fewer than 100"),
    ],
)
def test_what_cannot_be_attacked_by_is_told_before_anything_runs(tmp_path, words, said):
    code, facts = audit(written(tmp_path), *words)
    assert code == 2
    assert said in json.dumps(facts)
    assert not (tmp_path / "store").exists()


def test_too_few_records_and_too_many_targets_are_findings(tmp_path):
    code, facts = audit(written(tmp_path), "--shadows", 8, "--targets", 100)
    assert (code, facts["findings"][0]["code"]) == (1, "schema.bad-value")
    code, facts = audit(written(tmp_path, rows=60), "--shadows", 8)
    assert code == 1
    assert "36 records" in facts["findings"][0]["message"]


@pytest.fixture
def scoring(tmp_path):
    """The plan of engines of a family that says how likely it takes a record to be."""
    engine = (
        "{family: vae, backend: 'null', architecture: {name: mlp, hidden: [4], latent_dim: 2, likelihood: gaussian}}"
    )
    spec = written(tmp_path, engine=engine)
    text = (
        spec.read_text()
        .replace("measure: gan", "measure: elbo")
        .replace("W1, covg", "elbo, posterior_collapse_rate, W1, covg")
    )
    spec.write_text(text.replace("  C40-515", "  C40-513: {tol_collapse: 0.9}\n  C40-515"))
    planned = load_spec(spot(spec), Options(today=date(2026, 11, 22))).then(compile_spec)
    assert planned.value is not None, planned.diagnostics
    return planned.value


def test_engines_that_say_nothing_of_records_are_a_finding(scoring, tmp_path):
    found = audit_shadows(scoring, Asked(shadows=8), Where(store=tmp_path / "store", root=tmp_path, progress=Quiet()))
    assert "null say nothing of single records" in found.diagnostics[0].message


def test_an_engine_is_asked_of_each_record_and_keeps_its_answers_apart(scoring, tmp_path, monkeypatch):
    """Of every record it says something else, which is a little more where it learned it."""

    def assess(op, inputs, context):
        learned, rows = read_dataset(inputs["drawn"].path(DATA)), read_rows(inputs["drawn"].path(SPLIT))
        known = learned.take(rows.train)["rid"]
        noise = np.random.default_rng(op.fit.training.seed % 2**32)

        def says(data):
            rids = data["rid"].astype(np.float64)
            return 10 * rids + 2 * np.isin(rids, known) + 0.3 * noise.standard_normal(len(rids))

        write_scores(op, inputs, context, says, "what was planted")
        write_report(context.out, FIGURES, ())

    monkeypatch.setitem(KERNELS, "assess", assess)
    asked = Asked(shadows=8, planted=20)
    found = audit_shadows(scoring, asked, Where(store=tmp_path / "store", root=tmp_path, progress=Quiet())).value
    assert found.how == "what was planted"
    assert found.mi_max is None  # it promises something of an attacker who has the samples alone
    assert found.isolated.auc.lower > 0.95
    assert found.isolated.auc.n == 8 * 36


def nodes_of(example, **asked):
    spec = Path(__file__).parents[3] / "examples" / example / "spec.yaml"
    plan = load_spec(spot(spec), Options(today=date(2026, 11, 22))).then(compile_spec).value
    return {node.id: node for node in shadow_graph(plan, Asked(**asked)).nodes}


def test_half_of_the_records_state_no_number_of_all():
    fits = [each.op for name, each in nodes_of("cancer-dp-vae", shadows=8).items() if name.startswith("fit.")]
    assert [each.privacy.dataset_size for each in fits] == [None] * 8
    (first, *_) = (each.op for name, each in nodes_of("cancer-dp-marginals", shadows=8).items() if "statistics" in name)
    assert (first.privacy.mechanism, first.privacy.dataset_size) == ("dp-noise", None)


def test_every_shadow_takes_the_whole_road_of_its_engine_on_its_own_half_with_seeds_of_its_own():
    nodes = nodes_of("digits-diffusion-fast", shadows=8)
    feeds = {name: {edge.port: edge.node for edge in node.inputs} for name, node in nodes.items()}
    (student,) = [name for name, node in nodes.items() if isinstance(node.op, Accelerate) and name.endswith(".3")]
    assert feeds["fit.3"] == {"data": "shadow.3", "split": "shadow.3"}
    assert feeds[student] == {"engine": "fit.3", "data": "shadow.3", "split": "shadow.3"}
    assert feeds["asked.3"] == {"engine": student, "data": "isolate", "split": "isolate", "drawn": "shadow.3"}
    trained = [node.op for node in nodes.values() if isinstance(node.op, Fit)]
    assert len({op.training.seed for op in trained}) == len(trained) == 8
    assert nodes[student].op.fit == nodes["asked.3"].op.fit == nodes["fit.3"].op
    assert len({nodes[f"asked.{number}"].op.seed for number in range(8)}) == 1
    assert [nodes[f"shadow.{number}"].op.exchanged for number in range(8)] == [False] * 8
    assert not {"sample", "measure", "judge", "emit"} & set(nodes)


def test_the_test_split_is_read_by_nobody():
    """But for binding and splitting: a shadow has none, and who is asked about comes of the training split."""
    for example in ("digits-diffusion-fast", "cancer-dp-marginals"):
        nodes = nodes_of(example, shadows=8)
        readers = {
            name.partition(".")[0]
            for name, node in nodes.items()
            for edge in node.inputs
            if edge.node in ("bind", "split")
        }
        assert readers <= {"split", "impute", "isolate", "shadow"}


def test_without_a_mechanism_the_audit_of_canaries_names_the_other_one(tmp_path):
    code, facts = audit(written(tmp_path))
    assert code == 1
    assert "--shadows 16" in facts["findings"][0]["help"]


@pytest.mark.parametrize("shadows", [0, 1, 6, 9, 1026])
def test_engines_that_are_no_pairs_are_refused_before_they_are_trained(shadows):
    with pytest.raises(ValueError, match="no pairs"):
        Asked(shadows=shadows)


@pytest.mark.slow
def test_a_flow_that_fits_two_hundred_rows_closely_is_caught_and_one_that_saw_them_a_few_times_is_not(tmp_path):
    pytest.importorskip("zuko")
    example = Path(__file__).parents[3] / "examples" / "cancer-dp-vae" / "cancer.sref.yaml"
    engine = "{family: flow, architecture: {name: autoregressive, transforms: 2, hidden: [64, 64], bins: 16}}"
    spec = written(tmp_path, engine=engine)
    (tmp_path / "plates.sref.yaml").write_text(example.read_text())
    text = (
        spec.read_text()
        .replace("source: plates.csv", "source: sklearn://breast_cancer")
        .replace("measure: gan", "measure: nll")
    )
    text = text.replace("train: 0.6, val: 0.2, test: 0.2, seed: 1", "train: 0.36, val: 0.32, test: 0.32, seed: 5")
    text = text.replace("steps: 4, batch_size: 16", "epochs: 60, batch_size: 32").replace("lr: 1.0e-3", "lr: 2.0e-3")
    text = text.replace("grad_norm > 1000", "grad_norm > 1.0e+9").replace("W1, covg", "nll, bpd, inv_error, W1, covg")
    text = text.replace("  C40-515", "  C40-512: {tol_bpd: 90, tol_inv: 1.0}\n  C40-515")
    spec.write_text(text + CONDITIONED)
    code, facts = audit(spec, "--shadows", 8)
    assert facts.get("verdict") == "members are told", json.dumps(facts)
    assert (code, facts["targets"]) == (0, 51)
    assert facts["auc_lower"] > 0.65
    assert facts["score"].startswith("minus the nll")
    brief = "{family: flow, architecture: {name: autoregressive, transforms: 1, hidden: [16], bins: 16}}"
    spec.write_text(spec.read_text().replace(engine, brief))
    code, facts = audit(spec, "--shadows", 8, "--set", "training.epochs=4")
    assert (code, facts["verdict"]) == (0, "nothing found"), json.dumps(facts)
