"""A training by sampling needs members to draw by: what has none is refused where it is asked for."""

from datetime import date

import pytest

from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, load_spec, spot

SREF = """
apiVersion: synthspec/v1
kind: SRef
metadata: {{name: t, version: 1.0.0}}
modality: tabular
fields:
  - {{name: rid, role: key, dtype: int64}}
  - {{name: size, role: content, dtype: float64, unit: m, range: [0, 9]}}
  - {{name: other, role: content, {content}}}
  - {{name: given, role: condition, {condition}}}
keys: {{pk: [rid]}}
"""
SPEC = """
apiVersion: synthspec/v1
kind: EngineSpec
metadata: {{name: t, version: 1.0.0}}
sref: t.sref.yaml
data: {{source: t.csv, split: {{method: hash, key: rid, train: 0.7, val: 0.15, test: 0.15, seed: 1}}}}
engine: {{family: gan, architecture: {{name: mlp, hidden: [8], latent_dim: 4}}}}
objective: {{measure: rpgan, r1: 0.1, r2: 0.1, training_by_sampling: log_frequency}}
training: {{epochs: 2, batch_size: 50, optimizer: {{name: adam, lr: 1.0e-3}}, seed: 1}}
conditioning: {{variables: {{given: {{interface: {interface}, distribution: empirical, coverage_min: 0.5}}}}}}
stability:
  monitors: [{{signal: grad_norm, trip: grad_norm > 100, window: 9, action: rollback}}]
  convergence: {{signal: KID_val, patience: 9, min_delta: 0.0}}
  rollback: {{to: last, max_rollbacks: 1}}
privacy: {{mechanism: none}}
sampling: {{n: 100, seed: 7, rng: philox, block: 64}}
evaluation: {{reference: test, metrics: [W1, MI, covg, mode_drop], membership_attack: {{members: train, non_members: val}}}}
contracts:
  C40-511: {{tol_W1: 0.3}}
  C40-515: {{covg_min: 0.1, tol_mode_drop: 1.0}}
  C40-516: {{mi_max: 0.3}}
  C40-518: {{}}
  C40-519: {{}}
"""
KIND = "dtype: categorical, enum: [a, b]"
NUMBER = "dtype: float64, unit: m, range: [0, 9]"


@pytest.mark.parametrize(
    ("content", "condition", "reason"),
    [
        (KIND, KIND, ""),
        ("dtype: bool", KIND, ""),
        (NUMBER, KIND, ""),
        (KIND, NUMBER, "the condition given is a number"),
        (NUMBER, NUMBER, "no field of the SRef is categorical or bool"),
    ],
)
def test_what_has_no_members_is_refused_where_it_stands(tmp_path, content, condition, reason):
    (tmp_path / "t.sref.yaml").write_text(SREF.format(content=content, condition=condition))
    interface = "categorical" if condition == KIND else "continuous"
    (tmp_path / "spec.yaml").write_text(SPEC.format(interface=interface))
    (tmp_path / "t.csv").write_text("rid,size,other,given\n")
    found = load_spec(spot(tmp_path / "spec.yaml"), Options(today=date(2026, 6, 1))).then(compile_spec).diagnostics
    errors = [each for each in found if each.is_error]
    assert bool(errors) == bool(reason)
    for each in errors:
        assert each.code == "engine.backend-unsupported"
        assert each.path == ("objective", "training_by_sampling")
        assert each.help
    assert any(reason in each.message for each in errors) or not reason
