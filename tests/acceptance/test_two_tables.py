"""Two tables from nothing to a manifest that verifies: children have parents, gaps are filled, one field goes by its log."""

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
metadata: {name: orders, version: 1.0.0, description: Made-up orders of made-up shops.}
modality: tabular
fields:
  - {name: order, role: key, dtype: int64}
  - {name: shop, role: key, dtype: string}
  - {name: mass, role: content, dtype: float64, unit: g, range: [1, 1.0e+5]}
  - {name: price, role: content, dtype: float64, unit: dimensionless, range: [0, 5000]}
  - {name: kind, role: content, dtype: categorical, enum: [small, large, other]}
keys: {pk: [order], fk: {shop: shops.id}}
alias_map: {grams: mass}
policy:
  nulls: {price: impute, mass: drop}
  enums: {kind: {into: other}}
  orphans: {shop: drop}
"""
SPEC = """\
apiVersion: synthspec/v1
kind: EngineSpec
metadata: {name: orders, version: 1.0.0, owner: tests}
sref: orders.sref.yaml
data:
  source: orders.csv
  references: {shops: {source: shops.csv}}
  split: {method: hash, key: order, train: 0.7, val: 0.15, test: 0.15, seed: 1}
  transform: {mass: log, price: quantile}
  impute: {price: median}
engine: {family: flow, architecture: {name: spline_coupling, transforms: 2, hidden: [16]}, base_dist: normal}
objective: {measure: nll}
training: {epochs: 6, batch_size: 64, optimizer: {name: adamw, lr: 3.0e-3}, seed: 3}
stability:
  monitors: [{signal: grad_norm, trip: grad_norm > 1000, window: 5, action: rollback}]
  convergence: {signal: bpd_val, patience: 50, min_delta: 1.0e-3}
  rollback: {to: best, lr_factor: 0.5, max_rollbacks: 2}
privacy: {mechanism: none}
sampling: {n: 300, seed: 7, rng: philox, block: 64}
evaluation:
  reference: test
  metrics: [bpd, inv_error, W1, covg, mode_drop, MI]
  membership_attack: {members: train, non_members: val}
contracts:
  C40-511: {tol_W1: 5.0}
  C40-512: {tol_bpd: 40.0, tol_inv: 1.0e-2}
  C40-515: {covg_min: 0.01, tol_mode_drop: 1.0}
  C40-516: {mi_max: 0.95}
  C40-518: {}
  C40-519: {}
"""
SHOPS = 30


def lay_out(folder, rows=400, seed=5):
    rng = np.random.default_rng(seed)
    busy = rng.pareto(1.0, SHOPS) + 0.05
    shops = rng.choice(SHOPS, rows, p=busy / busy.sum())
    lines = []
    for row in range(rows):
        mass = rng.lognormal(5, 1.5)
        price = "" if row % 11 == 0 else f"{0.1 * mass**0.8 + rng.random():.3f}"
        grams = "" if row % 50 == 7 else f"{min(max(mass, 1), 1e5):.4f}"
        kind = "huge" if row % 90 == 4 else ("large" if mass > 150 else "small")
        shop = "S999" if row % 80 == 3 else f"S{shops[row]}"
        lines.append(f"{row},{shop},{grams},{price},{kind}")
    (folder / "orders.csv").write_text("order,shop,grams,price,kind\n" + "\n".join(lines) + "\n")
    (folder / "shops.csv").write_text("id,city\n" + "".join(f"S{shop},somewhere\n" for shop in range(SHOPS)))
    (folder / "orders.sref.yaml").write_text(SREF)
    (folder / "spec.yaml").write_text(SPEC)
    return folder


@pytest.fixture(scope="module")
def ran(cli, tmp_path_factory):
    folder = lay_out(tmp_path_factory.mktemp("orders"))
    answer = cli("run", "spec.yaml", "--store", "store", "--out", "run", cwd=folder)
    assert answer.code == 0, answer.err + answer.out
    return folder


def test_the_run_verifies(cli, ran):
    answer = cli("verify", "run/manifest.sigstore.json", cwd=ran)
    assert answer.code == 0, answer.out
    assert "verify: OK" in answer.out


def test_no_made_record_is_an_orphan(ran):
    rows = list(csv.DictReader(io.StringIO((ran / "run" / "samples.csv").read_text())))
    assert len(rows) == 300
    assert {row["shop"] for row in rows} <= {f"S{shop}" for shop in range(SHOPS)}
    assert sorted(int(row["order"]) for row in rows) == list(range(300))
    assert all(row["price"] and 1 <= float(row["mass"]) <= 1e5 for row in rows)


def test_the_manifest_says_what_binding_did(ran):
    manifest = json.loads((ran / "run" / "manifest.json").read_bytes())
    schema = manifest["dataset"]["schema"]
    fields = {field["name"]: field for field in schema["fields"]}
    assert (schema["read"], schema["rows"], schema["dropped"]) == (400, 387, 13)
    assert schema["alias_map"] == {"grams": "mass"}
    assert (schema["pk"], schema["pk_unique"]) == (["order"], True)
    assert (fields["mass"]["on_gap"], fields["mass"]["dropped_gaps"]) == ("drop", 8)
    assert fields["price"]["filled_with"].startswith("median ")
    assert (fields["kind"]["on_unknown"], fields["kind"]["moved_unknown"]) == ("other", 5)
    (key,) = schema["foreign_keys"]
    assert (key["references"], key["keys"], key["unmatched"], key["policy"]) == ("shops.id", SHOPS, 5, "drop")
    assert (key["released"], key["released_unmatched"]) == ("train", 0)
    assert key["worst"] == ["line 5", "line 85", "line 165", "line 245", "line 325"]
    assert "S999" not in (ran / "run" / "manifest.json").read_text()
    read = {entry["name"] for entry in manifest["dependencies"]}
    assert {"orders.csv", "shops.csv"} <= read


def test_a_changed_table_of_parents_is_another_run(cli, ran, tmp_path):
    folder = lay_out(tmp_path)
    (folder / "shops.csv").write_text("id,city\nS1,somewhere\n")
    (folder / "orders.sref.yaml").write_text(SREF.replace("  orphans: {shop: drop}\n", ""))
    answer = cli("run", "spec.yaml", "--store", "store", "--out", "run", cwd=folder)
    assert answer.code in {1, 3}
    assert "data.orphan" in answer.out + answer.err
    assert not (folder / "run").exists()
