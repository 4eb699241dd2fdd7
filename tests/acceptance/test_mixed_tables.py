"""Tables of mixed types from a CSV to a signed manifest: every kind of column, missing values, a rare condition."""

from __future__ import annotations

import csv
import io
import json
from importlib.util import find_spec

import numpy as np
import pytest

if find_spec("torch") is None or find_spec("zuko") is None:
    pytest.skip("needs torch and zuko", allow_module_level=True)

SREF = """\
apiVersion: synthspec/v1
kind: SRef
metadata: {name: visits, version: 1.0.0, description: Made-up visits of a clinic.}
modality: tabular
fields:
  - {name: rid, role: key, dtype: int64}
  - {name: site, role: condition, dtype: categorical, enum: [north, south, island]}
  - {name: blood, role: content, dtype: categorical, enum: [A, B, AB, "0"], nullable: true}
  - {name: smoker, role: content, dtype: bool}
  - {name: age, role: content, dtype: int16, unit: dimensionless, range: [0, 120]}
  - {name: cost, role: content, dtype: float64, unit: dimensionless, range: [0, 1.0e+5], resolution: 0.01}
  - {name: mass, role: content, dtype: float32, unit: kg, range: [1, 300], nullable: true}
  - {name: seen, role: content, dtype: timestamp}
  - {name: grams, role: derived, dtype: float32, unit: g, expr: mass, nullable: true}
keys: {pk: [rid]}
constraints:
  - {id: adults, expr: age >= 18 or not smoker, severity: block}
"""
SPEC = """\
apiVersion: synthspec/v1
kind: EngineSpec
metadata: {{name: visits, version: 1.0.0, owner: tests}}
sref: visits.sref.yaml
data:
  source: visits.csv
  split: {{method: hash, key: rid, train: 0.7, val: 0.15, test: 0.15, seed: 1}}
engine: {engine}
objective: {objective}
training: {{epochs: {epochs}, batch_size: 64, optimizer: {{name: adamw, lr: 3.0e-3}}, seed: 3}}
conditioning:
  variables: {{site: {{interface: categorical, distribution: empirical, coverage_min: 1.0}}}}
  rejection: {{max_attempts: 4}}
stability:
  monitors: [{{signal: grad_norm, trip: grad_norm > 1000, window: 5, action: rollback}}]
  convergence: {{signal: {watched}, patience: 50, min_delta: 1.0e-3}}
  rollback: {{to: best, lr_factor: 0.5, max_rollbacks: 2}}
privacy: {{mechanism: none}}
sampling: {{n: 150, seed: 7, rng: philox, block: 64, condition: {{{held}}}}}
evaluation:
  reference: test
  metrics: [{metrics}, covg, mode_drop, W1, MI]
  membership_attack: {{members: train, non_members: val}}
contracts:
  C40-511: {{tol_W1: 2.0}}
  {own}
  C40-515: {{covg_min: 0.05, tol_mode_drop: 1.0}}
  C40-516: {{mi_max: 0.9}}
  C40-518: {{}}
  C40-519: {{}}
"""
FLOW = {
    "engine": "{family: flow, architecture: {name: autoregressive, transforms: 1, hidden: [16, 16], bins: 16}}",
    "objective": "{measure: nll}",
    "watched": "bpd_val",
    "metrics": "bpd, nll, inv_error",
    "own": "C40-512: {tol_bpd: 40.0, tol_inv: 1.0e-6}",
    "epochs": 20,
    "held": "",
}
COUPLING = {
    **FLOW,
    "engine": "{family: flow, architecture: {name: spline_coupling, transforms: 2, hidden: [16]}, base_dist: student_t}",
    "own": "C40-512: {tol_bpd: 40.0, tol_inv: 1.0e-2}",
    "epochs": 6,
}
VAE = {
    "engine": "{family: vae, architecture: {name: mlp, hidden: [32], latent_dim: 4, likelihood: mixed}}",
    "objective": "{measure: elbo_beta, beta: 1.0}",
    "watched": "elbo_val",
    "metrics": "elbo, iwae, bpd, posterior_collapse_rate",
    "own": "C40-513: {tol_collapse: 1.0}",
    "epochs": 15,
    "held": "",
}


def visits(rows=400, seed=5):
    """The CSV: a spiky cost, gaps in mass and blood, whole seconds, one rare site."""
    rng = np.random.default_rng(seed)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["rid", "site", "blood", "smoker", "age", "cost", "mass", "seen"])
    for row in range(rows):
        site = rng.choice(["north", "south", "island"], p=[0.6, 0.37, 0.03])
        age = int(rng.integers(18, 90)) if site == "north" else int(rng.integers(1, 60))
        cost = 0.0 if rng.random() < 0.7 else round(float(rng.lognormal(4, 1)), 2)
        mass = "" if rng.random() < 0.2 else f"{rng.normal(40 + age / 2, 8):.3f}"
        blood = "" if rng.random() < 0.1 else rng.choice(["A", "B", "AB", "0"])
        when = np.datetime64("2024-03-01T08:00:00", "s") + int(rng.integers(0, 10**6))
        writer.writerow(
            [row, site, blood, str(bool(age > 30 and rng.random() < 0.4)).lower(), age, cost, mass, f"{when}Z"]
        )
    return out.getvalue()


def lay_out(folder, made_of):
    (folder / "visits.csv").write_text(visits(), encoding="utf-8")
    (folder / "visits.sref.yaml").write_text(SREF, encoding="utf-8")
    (folder / "spec.yaml").write_text(SPEC.format(**made_of), encoding="utf-8")
    return folder


def ran(cli, folder, out="run"):
    answer = cli("run", "spec.yaml", "--store", "store", "--out", out, cwd=folder)
    assert answer.code in (0, 1), answer.err + answer.out
    assert "C40-519" in answer.out
    return answer, list(csv.DictReader(io.StringIO((folder / out / "samples.csv").read_text())))


def figure(folder, name):
    figures = json.loads((folder / "evidence.json").read_bytes())["figures"]
    (found,) = [entry for entry in figures if entry["name"] == name]
    return found


def check_rows(rows):
    assert len(rows) == 150
    assert sorted(int(row["rid"]) for row in rows) == list(range(150))
    assert {row["blood"] for row in rows} <= {"A", "B", "AB", "0", ""}
    assert {row["smoker"] for row in rows} <= {"true", "false"}
    assert all(0 <= int(row["age"]) <= 120 for row in rows)
    assert all(int(row["age"]) >= 18 for row in rows if row["smoker"] == "true")
    cents = [float(row["cost"]) * 100 for row in rows]
    assert all(abs(cent - round(cent)) < 1e-6 for cent in cents)
    assert all(np.datetime64(row["seen"][:-1]).astype("datetime64[ns]").astype(int) % 10**9 == 0 for row in rows)
    # Derived, not made: the mass in another unit, missing where it is.
    assert all((row["mass"] == "") == (row["grams"] == "") for row in rows)
    assert all(float(row["grams"]) == pytest.approx(1000 * float(row["mass"]), rel=1e-4) for row in rows if row["mass"])


@pytest.fixture(scope="module")
def flow(cli, tmp_path_factory):
    folder = lay_out(tmp_path_factory.mktemp("mixed"), FLOW)
    return folder, *ran(cli, folder)


def test_a_flow_of_mixed_columns_runs_to_a_verified_manifest(cli, flow):
    folder, answer, rows = flow
    check_rows(rows)
    assert 0.02 < np.mean([row["mass"] == "" for row in rows]) < 0.5
    assert 0.4 < np.mean([float(row["cost"]) == 0 for row in rows]) < 0.95
    assert figure(folder / "run", "inv_error")["value"] < 1e-9
    assert dict(figure(folder / "run", "inv_error")["details"])["values_changed"] == 0
    assert figure(folder / "run", "bpd")["label"] == "bpd[exact masses of cells,units=SRef]"
    assert "PASS" in answer.out, answer.out
    assert cli("verify", "run/manifest.sigstore.json", cwd=folder).code == 0


def test_a_rare_condition_gives_exactly_as_many_records(cli, flow):
    folder, _, _ = flow
    (folder / "spec.yaml").write_text(SPEC.format(**{**FLOW, "held": "site: island"}), encoding="utf-8")
    _, rows = ran(cli, folder, "island")
    check_rows(rows)
    assert {row["site"] for row in rows} == {"island"}


@pytest.mark.slow
def test_a_coupling_of_mixed_columns_runs(cli, tmp_path):
    folder = lay_out(tmp_path, COUPLING)
    _, rows = ran(cli, folder)
    check_rows(rows)
    assert figure(folder / "run", "inv_error")["value"] < 1e-2
    assert figure(folder / "run", "bpd")["label"] == "bpd[dequant=uniform in scores,k=1,units=SRef]"


def test_a_vae_of_mixed_columns_runs(cli, tmp_path):
    folder = lay_out(tmp_path, VAE)
    _, rows = ran(cli, folder)
    check_rows(rows)
    assert 0.02 < np.mean([row["mass"] == "" for row in rows]) < 0.5
    elbo, iwae = (figure(folder / "run", name) for name in ("elbo", "iwae"))
    assert elbo["value"] < iwae["value"]
    assert dict(iwae["details"])["dimensions"] == 6
