"""A GAN under PATE through the program: planned, charged, in two bundles that verify, replayed by whoever has the secret."""

import base64
import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("dp_accounting")

SPEC = """apiVersion: synthspec/v1
kind: EngineSpec
metadata: {name: cancer-pate, version: 1.0.0, owner: health}
sref: cancer.sref.yaml
data:
  source: sklearn://breast_cancer
  split: {method: hash, key: rid, train: 0.70, val: 0.15, test: 0.15, seed: 5}
engine: {family: gan, architecture: {name: mlp, hidden: [16], latent_dim: 4}}
objective: {measure: gan}
training: {steps: 12, batch_size: 8, optimizer: {name: adam, lr: 2.0e-3}, seed: 3}
conditioning:
  variables: {diagnosis: {interface: categorical, distribution: {0: 0.4, 1: 0.6}, coverage_min: 1.0}}
stability:
  monitors: [{signal: votes_real, trip: votes_real > 1, window: 5, action: stop}]
  convergence: {signal: step, max: budget}
  rollback: {to: last, max_rollbacks: 0}
privacy:
  mechanism: pate
  unit: record
  adjacency: add_remove
  teachers: 12
  aggregation: gnmax
  noise: {multiplier: auto}
  queries: 60
  accountant: pld
  eps_budget: 4.0
  delta: 1.0e-5
  ledger: pate-road
sampling: {n: 24, seed: 7, rng: philox}
evaluation:
  reference: test
  metrics: [W1, covg, mode_drop, MI]
  membership_attack: {members: train, non_members: val}
  disclosure: restricted
contracts:
  C40-511: {tol_W1: 0.6}
  C40-515: {covg_min: 0.2, tol_mode_drop: 0.0}
  C40-516: {eps_budget: 4.0, delta_budget: 1.0e-5, mi_max: 0.40}
  C40-518: {}
  C40-519: {}
"""


@pytest.fixture
def desk(examples, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHSPEC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SYNTHSPEC_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "synthspec.toml").touch()
    sref = (examples / "cancer-dp-vae" / "cancer.sref.yaml").read_text()
    (tmp_path / "cancer.sref.yaml").write_text(sref)
    (tmp_path / "spec.yaml").write_text(SPEC)
    return tmp_path


def dp(path):
    envelope = json.loads(path.read_bytes())["dsseEnvelope"]
    predicate = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
    return predicate, predicate["privacy"]["dp"]


@pytest.mark.slow
def test_planned_charged_signed_and_replayed(cli, desk):
    planned = cli("compile", "spec.yaml", "--format", "json", cwd=desk).json["planned"]
    assert planned["eps"] <= 4
    words = ("--out", "run", "--store", "store", "--secret", desk / "secret", "--quiet")
    answer = cli("run", "spec.yaml", *words, cwd=desk)
    assert answer.code in (0, 1), answer.out + answer.err
    for name in ("manifest.sigstore.json", "manifest.public.sigstore.json"):
        assert cli("verify", desk / "run" / name, cwd=desk).code in (0, answer.code)
        assert cli("verify", desk / "run" / name, "--format", "json", cwd=desk).json["refusals"] == []
        predicate, spent = dp(desk / "run" / name)
        assert predicate["privacy"]["mechanism"] == "pate"
        assert (spent["teachers"], spent["aggregation"], spent["steps"]) == (12, "gnmax", 60)
        assert spent["eps_total"] <= planned["eps"]
        assert spent["noise_multiplier"] == planned["multiplier"]
        assert spent["ledger"]["releases"] == 1
        assert {charge for charge in spent["accesses"].values() if not charge.startswith("none: ")} == {"ledger"}
    public, _ = dp(desk / "run" / "manifest.public.sigstore.json")
    assert "n_real" not in public["dataset"] or public["dataset"]["n_real"] is None
    assert "pate alone" in public["privacy"]["statement"]
    assert "12 teachers, no two of which share a record, voted on 60 generated" in public["privacy"]["statement"]
    replayed = cli("replay", desk / "run", "--secret", desk / "secret", cwd=desk)
    assert replayed.out.splitlines()[-1].startswith("replay: bitwise"), replayed.out + replayed.err
    again = cli("run", "spec.yaml", "--out", "more", "--store", "other", "--quiet", cwd=desk)
    assert again.code == 1
    assert "P405-4.budget-exceeded" in again.out + again.err
    assert not (desk / "more").exists()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("teachers: 12", "teachers: n/1000", "P405-4.pate-partition"),
        ("teachers: 12\n", "teachers: 12\n  partition: overlapping\n", "P405-4.pate-partition"),
        ("teachers: 12\n", "teachers: 12\n  report: data_dependent\n", "P405-4.pate-partition"),
        ("  teachers: 12\n", "", "P405-4.incomplete"),
        ("  queries: 60\n", "", "P405-4.incomplete"),
        ("multiplier: auto", "multiplier: 5.0", "P405-4.budget-exceeded"),
        ("multiplier: auto", "multiplier: auto, seed: 3", "P405-4.public-noise-seed"),
        (
            "signal: votes_real, trip: votes_real > 1",
            "signal: loss_critic, trip: loss_critic > 9",
            "P405-4.private-monitor",
        ),
        ("steps: 12,", "epochs: 3,", "P405-4.private-size-used"),
        ("measure: gan", "measure: gan, generator_terms: [feature_matching]", "P405-4.generator-reads-data"),
    ],
)
def test_what_the_votes_do_not_cover_is_refused_by_name(cli, desk, old, new, code):
    assert SPEC.count(old) == 1
    (desk / "spec.yaml").write_text(SPEC.replace(old, new))
    answer = cli("validate", "spec.yaml", "--format", "json", cwd=desk)
    assert answer.code == 1
    assert code in [each["code"] for each in answer.json["findings"]]


@pytest.mark.slow
def test_the_audit_takes_votes(cli, desk):
    answer = cli("audit", "spec.yaml", "--canaries", "100", "--seed", "1", "--format", "json", cwd=desk)
    assert answer.code == 0, answer.out + answer.err
    found = answer.json
    assert (found["replay_ratio"], found["replay_same_releases"], found["defects"]) == (1.0, True, [])
    assert found["eps_lower_bound"] < found["eps_claimed"] <= 4
    assert abs(found["z_votes"]) < 4.5
