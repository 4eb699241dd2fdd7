"""Edits of keys that came to the language later, on a small table: what a careful reviewer says of each.

(base, file, what stands there, what is written instead, direction, pointer of one change that has it). No direction: no change.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECT = ROOT / "tests" / "acceptance" / "project"
SPEC, SREF = "e/spec.yaml", "e/marks.sref.yaml"
LOOSENED, TIGHTENED, UNKNOWN, NEUTRAL = "loosened", "tightened", "unknown", "neutral"
SHA = f"sha256: {'a' * 64}"

RELEASE = """
release:
  licence: CC-BY-4.0
  format: parquet
  watermark: {method: selection, candidates: 2}
  exports: [croissant, ml_bom, ro_crate]
  max_age_days: 30
"""
DATA = f"""  source: marks.csv
  references: {{site: {{source: sites.csv, public: false, {SHA}}}}}
  transform: {{x: linear, y: linear}}
  impute: {{x: mean}}
"""
PATE = (
    "privacy: {mechanism: pate, unit: record, adjacency: add_remove, teachers: 10, aggregation: gnmax, queries: 100,"
    " noise: {multiplier: 20.0}, eps_budget: 3.0, delta: 1.0e-5, accountant: rdp, ledger: l}"
)
KEYS = """  - {name: site, role: content, dtype: int64, unit: dimensionless, range: [0, 9], nullable: true}
keys: {pk: [rid], fk: {site: site.id}}
policy: {nulls: {site: refuse}, enums: {kind: refuse}, orphans: {site: refuse}}
"""
START = (
    f"seed: 4, on_divergence: restart, max_attempts: 3, init_from: {{weights: weights/e.safetensors, run: ../r, {SHA},"
    " provenance: public}}"
)
FEATURES = (
    f"  reference: test\n  features: {{name: module, entry: mine, weights: w.safetensors, {SHA}, provenance: public}}\n"
)

BASES = {
    "marks": (),
    "data": ((SPEC, "  source: marks.csv\n", DATA),),
    "pate": ((SPEC, "privacy: {mechanism: none}", PATE),),
    "keys": ((SREF, "keys: {pk: [rid]}\n", KEYS),),
    "start": ((SPEC, "seed: 4}", START),),
    "features": ((SPEC, "  reference: test\n", FEATURES),),
}

EDITS = (
    # other tables
    ("data", SPEC, "public: false", "public: true", LOOSENED, "/data/references/site/public"),
    ("data", SPEC, f", {SHA}", "", LOOSENED, "/data/references/site/sha256"),
    ("data", SPEC, "source: sites.csv", "source: places.csv", UNKNOWN, "/data/references/site/source"),
    ("keys", SREF, ", fk: {site: site.id}", "", LOOSENED, "/keys/fk/site"),
    ("keys", SREF, "fk: {site: site.id}", "fk: {site: place.id}", UNKNOWN, "/keys/fk/site"),
    # gaps and transforms: what takes statistics of records, takes more from them
    ("data", SPEC, "  impute: {x: mean}\n", "", TIGHTENED, "/data/impute"),
    ("data", SPEC, "impute: {x: mean}", "impute: {x: {constant: 0.5}}", TIGHTENED, "/data/impute"),
    ("data", SPEC, "impute: {x: mean}", "impute: {x: mean, y: median}", LOOSENED, "/data/impute"),
    ("data", SPEC, "impute: {x: mean}", "impute: mean", LOOSENED, "/data/impute"),
    ("data", SPEC, "impute: {x: mean}", "impute: {x: median}", UNKNOWN, "/data/impute"),
    ("data", SPEC, "transform: {x: linear", "transform: {x: quantile", LOOSENED, "/data/transform"),
    ("data", SPEC, "transform: {x: linear", "transform: {x: log", UNKNOWN, "/data/transform"),
    # records that do not fit: without a word they are refused
    ("keys", SREF, "nulls: {site: refuse}", "nulls: {site: drop}", LOOSENED, "/policy/nulls/site"),
    ("keys", SREF, "nulls: {site: refuse}", "nulls: {site: impute}", LOOSENED, "/policy/nulls/site"),
    ("keys", SREF, "enums: {kind: refuse}", "enums: {kind: {into: b}}", LOOSENED, "/policy/enums/kind"),
    ("keys", SREF, "enums: {kind: refuse}", "enums: {kind: drop}", LOOSENED, "/policy/enums/kind"),
    ("keys", SREF, "orphans: {site: refuse}", "orphans: {site: keep}", LOOSENED, "/policy/orphans/site"),
    ("keys", SREF, "orphans: {site: refuse}", "orphans: {site: drop}", LOOSENED, "/policy/orphans/site"),
    ("marks", SREF, "keys: {pk: [rid]}", "keys: {pk: [rid]}\npolicy: {nulls: {x: drop}}", LOOSENED, "/policy"),
    ("keys", SREF, "policy: {nulls: {site: refuse}, enums: {kind: refuse}, orphans: {site: refuse}}\n", "", "", ""),
    ("keys", SREF, "nulls: {site: refuse}, ", "", "", ""),
    # how a training starts, and starts again
    ("marks", SPEC, "measure: hinge", "measure: hinge, training_by_sampling: log_frequency", NEUTRAL, "/objective"),
    ("marks", SPEC, "seed: 4}", "seed: 4, on_divergence: restart, max_attempts: 2}", LOOSENED, "/training/on_divergence"),
    ("start", SPEC, "max_attempts: 3", "max_attempts: 9", LOOSENED, "/training/max_attempts"),
    ("marks", SPEC, "seed: 4}", "seed: 4, init_from: {weights: w.safetensors}}", LOOSENED, "/training/init_from"),
    ("start", SPEC, "provenance: public", "provenance: private", LOOSENED, "/training/init_from/provenance"),
    ("start", SPEC, "run: ../r, ", "", LOOSENED, "/training/init_from/run"),
    ("start", SPEC, f", {SHA}", "", LOOSENED, "/training/init_from/sha256"),
    ("start", SPEC, "weights/e.safetensors", "weights/f.safetensors", UNKNOWN, "/training/init_from/weights"),
    # votes
    ("pate", SPEC, "queries: 100", "queries: 400", LOOSENED, "/privacy/queries"),
    ("pate", SPEC, "multiplier: 20.0", "multiplier: 5.0", LOOSENED, "/privacy/noise/multiplier"),
    ("pate", SPEC, "teachers: 10", "teachers: 5", UNKNOWN, "/privacy/teachers"),
    ("pate", SPEC, "ledger: l}", "ledger: l, partition: overlapping}", LOOSENED, "/privacy/partition"),
    ("pate", SPEC, "ledger: l}", "ledger: l, report: data_dependent}", LOOSENED, "/privacy/report"),
    ("pate", SPEC, "aggregation: gnmax", "aggregation: laplace", UNKNOWN, "/privacy/aggregation"),
    ("pate", SPEC, "adjacency: add_remove", "adjacency: zero_out", LOOSENED, "/privacy/adjacency"),
    # what is published, and how it is measured
    ("marks", SPEC, "exports: [croissant, ml_bom, ro_crate]", "exports: [croissant]", NEUTRAL, "/release/exports"),
    ("marks", SPEC, "format: parquet", "format: csv", NEUTRAL, "/release/format"),
    ("marks", SPEC, "format: parquet", "format: parquet\n  provenance: none", LOOSENED, "/release/provenance"),
    ("marks", SPEC, "format: parquet", "format: parquet\n  provenance: sidecar", LOOSENED, "/release/provenance"),
    ("marks", SPEC, "format: parquet", "format: parquet\n  provenance: embedded", TIGHTENED, "/release/provenance"),
    ("marks", SPEC, "  max_age_days: 30\n", "", LOOSENED, "/release/max_age_days"),
    ("marks", SPEC, "candidates: 2}", "candidates: 2, alpha: 0.05}", LOOSENED, "/release/watermark/alpha"),
    ("marks", SPEC, "{mi_max: 0.5}", "{mi_max: 0.5, publish: mi_value}", LOOSENED, "/contracts/C40-516/publish"),
    ("marks", SPEC, "{mi_max: 0.5}", "{mi_max: 0.5, publish: verdict}", TIGHTENED, "/contracts/C40-516/publish"),
    ("features", SPEC, "entry: mine", "entry: theirs", UNKNOWN, "/evaluation/features/entry"),
    ("features", SPEC, f", {SHA}", "", LOOSENED, "/evaluation/features/sha256"),
    ("features", SPEC, "provenance: public", "provenance: private", LOOSENED, "/evaluation/features/provenance"),
    ("marks", SPEC, "latent_dim: 2}", "latent_dim: 2, norm: batch}", UNKNOWN, "/engine/architecture/norm"),
    # a schema that nobody can compare
    ("marks", SPEC, "marks.sref.yaml", f"{{name: marks, version: 1.0.0, {SHA}}}", UNKNOWN, "/sref"),
    ("marks", SPEC, "marks.sref.yaml", "gone.sref.yaml", UNKNOWN, "/sref"),
)  # fmt: skip


@pytest.fixture(scope="module")
def reviewed(two_sides, answer):
    """`reviewed(edit)`: its review, and that of the opposite edit."""
    marks = {SPEC: (PROJECT / "marks.yaml").read_text() + RELEASE, SREF: (PROJECT / "marks.sref.yaml").read_text()}

    def make(base, file, before, after):
        old = dict(marks)
        for name, here, there in BASES[base]:
            assert here in old[name]
            old[name] = old[name].replace(here, there, 1)
        assert before in old[file]
        sides = two_sides(SPEC, old, old | {file: old[file].replace(before, after, 1)})
        assert all(side.document and (side.sref is None or side.sref.document) for side in sides)
        return answer(*sides), answer(*reversed(sides))

    return make


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit[0]} {edit[5]} {edit[3]}"[:60])
def test_an_edit_is_told_with_its_direction_and_the_opposite_one_mirrored(edit, reviewed):
    base, file, before, after, direction, pointer = edit
    there, back = reviewed(base, file, before, after)
    found = [change.direction.value for change in there.changes if change.pointer.startswith(pointer)]
    assert (direction in found) if direction else not there.changes
    assert there.passed == (direction != LOOSENED)
    assert sorted((change.name, change.direction.value) for change in there.changes) == sorted(
        (change.name, change.direction.mirrored.value) for change in back.changes
    )
