"""A flow from its spec to its verdicts: over a table with a condition, and over the digits."""

from __future__ import annotations

import hashlib
import json
import shutil
from importlib.util import find_spec

import pytest

if find_spec("zuko") is None:
    pytest.skip("flows need zuko", allow_module_level=True)

COMMON = """\
apiVersion: synthspec/v1
kind: EngineSpec
metadata: {{name: {name}, version: 1.0.0, owner: tests}}
sref: {sref}
data:
  source: sklearn://{data}
  split: {{method: hash, key: rid, train: 0.70, val: 0.15, test: 0.15, seed: 11}}
engine:
  family: flow
  architecture: {architecture}
  base_dist: {base}
objective: {{measure: nll}}
training:
  epochs: {epochs}
  batch_size: {batch}
  optimizer: {{name: adamw, lr: {lr}, weight_decay: 1.0e-3}}
  ema: 0.99
  grad_clip: 5.0
  seed: 3
conditioning:
  variables: {{{condition}: {{interface: categorical, distribution: empirical, coverage_min: 1.0}}}}
stability:
  monitors: [{{signal: bpd_val, trip: bpd_val > best(bpd_val) + 1, window: 3, action: rollback}}]
  convergence: {{signal: bpd_val, patience: 12, min_delta: 1.0e-3}}
  rollback: {{to: best, lr_factor: 0.5, max_rollbacks: 2}}
privacy: {{mechanism: none}}
sampling: {{n: {n}, seed: 7, rng: philox}}
evaluation:
  reference: test
  metrics: [{metrics}, covg, mode_drop, bpd, nll, inv_error, MI]
  membership_attack: {{members: train, non_members: val}}
contracts:
  C40-511: {fidelity}
  C40-512: {likelihood}
  C40-515: {{covg_min: 0.4, tol_mode_drop: 0.0}}
  C40-516: {{mi_max: 0.40}}
  C40-518: {{}}
  C40-519: {{}}
"""
TABLE = {
    "name": "cancer-flow",
    "sref": "cancer.sref.yaml",
    "data": "breast_cancer",
    "architecture": "{name: spline_coupling, transforms: 3, hidden: [32, 32], bins: 8}",
    "base": "student_t",
    "epochs": 20,
    "batch": 64,
    "lr": "5.0e-3",
    "condition": "diagnosis",
    "n": 200,
    "metrics": "W1",
    "fidelity": "{tol_W1: 0.6}",
    "likelihood": "{tol_bpd: 2.5, tol_inv: 1.0e-3}",
}
DIGITS = {
    "name": "digits-flow",
    "sref": "digits.sref.yaml",
    "data": "digits",
    "architecture": "{name: spline_coupling, transforms: 4, hidden: [128, 128], bins: 8}",
    "base": "normal",
    "epochs": 80,
    "batch": 128,
    "lr": "2.0e-3",
    "condition": "digit",
    "n": 256,
    "metrics": "FID, KID, recall",
    "fidelity": "{tol_FID: 60.0, tol_KID: 0.05, recall_min: 0.30}",
    "likelihood": "{tol_bpd: 2.05, tol_inv: 1.0e-2}",
}


def lay_out(folder, examples, made_of, example):
    shutil.copy(examples / example / made_of["sref"], folder)
    (folder / "flow.yaml").write_text(COMMON.format(**made_of), encoding="utf-8")
    return folder


def figure(folder, name):
    figures = json.loads((folder / "evidence.json").read_bytes())["figures"]
    (found,) = [entry for entry in figures if entry["name"] == name]
    return found


@pytest.fixture(scope="module")
def table(cli, examples, tmp_path_factory):
    folder = lay_out(tmp_path_factory.mktemp("table"), examples, TABLE, "cancer-dp-vae")
    return folder, cli("run", "flow.yaml", "--store", "store", "--out", "run", cwd=folder)


def test_a_table_runs_end_to_end_and_holds_its_contracts(table):
    folder, answer = table
    assert answer.code == 0, answer.err + answer.out
    assert "gate: PASS" in answer.out
    bpd, nll, inverse = (figure(folder / "run", name) for name in ("bpd", "nll", "inv_error"))
    # The table's four continuous columns in mm, mm, mm^2 and 1: a likelihood without the scales would be below zero.
    assert 1.0 < bpd["value"] < bpd["upper"] < 2.5
    assert nll["value"] == pytest.approx(bpd["value"] * 4 * 0.6931471805599453)
    assert bpd["label"] == "bpd[continuous,units=SRef]"
    assert bpd["split"] == "test"
    assert 0 < dict(inverse["details"])["fp64_six_sigma"] < 1e-8 < inverse["value"]
    lines = [json.loads(line) for line in (folder / "run" / "training.jsonl").read_text().splitlines()]
    assert {"bpd", "loss", "lr", "grad_norm"} <= set(lines[0]["signals"])
    assert {"bpd_val", "bpd_trend", "logdet_extreme", "loss_val"} == set(lines[-1]["signals"])


def test_other_workers_make_the_same_records(cli, table):
    folder, _ = table
    again = cli("run", "flow.yaml", "--store", "other", "--out", "again", "--workers", "2", cwd=folder)
    assert again.code == 0, again.err
    one, other = ((folder / run / "samples.csv").read_bytes() for run in ("run", "again"))
    assert hashlib.sha256(one).digest() == hashlib.sha256(other).digest()
    weights = [(folder / run / "weights" / "flow.safetensors").read_bytes() for run in ("run", "again")]
    assert weights[0] == weights[1]


def test_digits_run_end_to_end(cli, examples, tmp_path):
    small = {**DIGITS, "epochs": 2, "n": 64, "architecture": "{name: affine_coupling, transforms: 2, hidden: [16]}"}
    folder = lay_out(tmp_path, examples, small, "digits-diffusion")
    answer = cli("run", "flow.yaml", "--store", "store", "--out", "run", cwd=folder)
    assert answer.code in (0, 1), answer.err
    assert "C40-512" in answer.out
    bpd = figure(folder / "run", "bpd")
    assert bpd["label"] == "bpd[dequant=uniform,k=1,units=SRef]"
    # Between nothing known of 17 levels, log2(17) = 4.09 and some more for a bad start, and what no model of them has.
    assert 2.0 < bpd["value"] < 6.0


@pytest.mark.slow
def test_digits_reach_their_bits(cli, examples, tmp_path):
    folder = lay_out(tmp_path, examples, DIGITS, "digits-diffusion")
    answer = cli("run", "flow.yaml", "--store", "store", "--out", "run", cwd=folder)
    assert answer.code == 0, answer.err + answer.out
    assert figure(folder / "run", "bpd")["upper"] <= 2.05
