"""What the language can say and no run does yet is refused by name: nothing that was written is passed over."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, load_spec, spot

EXAMPLES = Path(__file__).parents[3] / "examples"
TODAY = date(2026, 6, 1)
RESTARTING = "{optimizer: {name: adam, lr: 1e-3}, seed: 3, on_divergence: restart, max_attempts: 2}"
WEIGHTS = "{weights: digits.sref.yaml, sha256: " + "ab" * 32 + "}"

UNMET = [
    ("cancer-dp-vae", "contracts.C40-516.publish", "mi_value", "P405-4.mi-published", "contracts.C40-516.publish"),
    ("digits-diffusion", "data.transform", "{pixels: gmm}", "", "data.transform.pixels"),
    ("digits-diffusion", "data.impute", "median", "sref.policy-unknown", "data.impute"),
    ("digits-diffusion", "data.impute", "{pixels: mean}", "sref.policy-unknown", "data.impute.pixels"),
    ("cancer-dp-vae", "training", RESTARTING, "", "training.on_divergence"),
    ("digits-gan", "objective.penalty_per", "batch", "", "objective.penalty_per"),
    ("digits-gan", "objective.training_by_sampling", "log_frequency", "", "objective.training_by_sampling"),
    ("fiber-link-flow", "timebase.fit.window", "300 s", "", "timebase.fit.window"),
    ("digits-diffusion", "conditioning.projection", "{max_cost: 0.1}", "", "conditioning.projection"),
    ("cancer-dp-vae", "conditioning.projection", "{max_cost: 0.1}", "", "conditioning.projection"),
    ("digits-diffusion", "release.format", "csv", "", "release.format"),
    ("cancer-dp-vae", "release", "{provenance: embedded}", "", "release.provenance"),
    ("fiber-link-flow", "release", "{format: wav}", "", "release.format"),
    ("digits-diffusion", "evaluation.disclosure", "restricted", "", "evaluation.disclosure"),
    ("digits-diffusion", "contracts.C40-516.publish", "verdict", "", "contracts.C40-516.publish"),
]


def found(name, *overrides):
    outcome = load_spec(spot(EXAMPLES / name / "spec.yaml"), Options(today=TODAY, overrides=overrides))
    return outcome.then(compile_spec).diagnostics


@pytest.mark.parametrize(("name", "key", "value", "code", "path"), UNMET, ids=lambda each: str(each)[:30])
def test_what_no_run_does_is_refused_where_it_stands(name, key, value, code, path):
    (finding,) = found(name, (key, value))
    assert finding.code == (code or "engine.backend-unsupported")
    assert ".".join(map(str, finding.path)) == path
    assert finding.help
    assert finding.is_error


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("digits-diffusion", "data.transform", "{pixels: linear}"),
        ("digits-diffusion", "training.on_divergence", "stop"),
        ("digits-diffusion", "training.init_from", WEIGHTS),
        ("digits-diffusion", "release.format", "npz"),
        ("fiber-link-flow", "release", "{format: parquet, provenance: embedded}"),
        ("fiber-link-flow", "release", "{format: jsonl, provenance: sidecar}"),
        ("cancer-dp-vae", "contracts.C40-516.publish", "verdict"),
        ("digits-gan", "objective.penalty_per", "record"),
        ("digits-vae", "engine.architecture.norm", "layer"),
        ("digits-vae", "engine.architecture.groups", "2"),
        ("fiber-link-flow", "engine.architecture.actnorm", "{init: data}"),
        ("fiber-link-flow", "timebase.fit.window", "10 min"),
        ("fiber-link-flow", "timebase.fit.method", "theil_sen"),
        ("fiber-link-flow", "conditioning.projection", "{max_cost: 0.1}"),
    ],
)
def test_what_every_run_does_may_be_written_out(name, key, value):
    assert found(name, (key, value)) == ()


def test_records_of_many_clocks_are_no_records_of_one(tmp_path):
    shutil.copytree(EXAMPLES / "fiber-link-flow", tmp_path / "fiber")
    sref = tmp_path / "fiber" / "fiber_link.sref.yaml"
    sref.write_text(sref.read_text().replace("keys: {pk: [rid]}", "keys: {pk: [rid], entity: rid}"))
    outcome = load_spec(spot(tmp_path / "fiber" / "spec.yaml"), Options(today=TODAY))
    said = [finding.message for finding in outcome.then(compile_spec).diagnostics if "one clock" in finding.message]
    assert len(said) == 1


def test_a_foreign_key_is_never_passed_over(tmp_path):
    shutil.copytree(EXAMPLES / "fiber-link-flow", tmp_path / "fiber")
    sref = tmp_path / "fiber" / "fiber_link.sref.yaml"
    sref.write_text(sref.read_text().replace("keys: {pk: [rid]}", "keys: {pk: [rid], fk: {rid: links.id}}"))
    outcome = load_spec(spot(tmp_path / "fiber" / "spec.yaml"), Options(today=TODAY))
    (finding,) = outcome.then(compile_spec).diagnostics
    assert (finding.code, finding.path) == ("sref.fk-target", ("data", "references"))
    assert "'rid' points to links.id" in finding.message


@pytest.mark.parametrize(
    ("fk", "said"),
    [
        ("{rid: links.id}", "rid is part of the primary key"),
        ("{temp: links.id}", "temp points to another table and is learned"),
    ],
)
def test_a_foreign_key_that_no_record_could_be_given_is_refused_by_name(tmp_path, fk, said):
    shutil.copytree(EXAMPLES / "fiber-link-flow", tmp_path / "fiber")
    (tmp_path / "fiber" / "links.csv").write_text("id\n1\n")
    sref = tmp_path / "fiber" / "fiber_link.sref.yaml"
    sref.write_text(sref.read_text().replace("keys: {pk: [rid]}", f"keys: {{pk: [rid], fk: {fk}}}"))
    given = (("data.references", "{links: {source: links.csv}}"),)
    outcome = load_spec(spot(tmp_path / "fiber" / "spec.yaml"), Options(today=TODAY, overrides=given))
    (finding,) = outcome.then(compile_spec).diagnostics
    assert finding.code == "engine.backend-unsupported"
    assert said in finding.message


def test_a_projection_names_the_constraint_that_it_cannot_meet():
    (finding,) = found("cancer-dp-vae", ("conditioning.projection", "{max_cost: 0.1}"))
    assert "'disc_area' is no linear inequality" in finding.message


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("role: key, dtype: int64", "role: key, dtype: float64", "no running number can be given"),
        ("role: key, dtype: int64", "role: key, dtype: string, enum: [a, b]", "no running number can be given"),
        ("role: key, dtype: int64", "role: key, dtype: int8", "int8, which cannot number 400 records"),
        ("pk: [rid]", "pk: [mean_radius]", "two records that are made can share it"),
        ("role: key, dtype: int64", "role: key, dtype: string", ""),
        ("role: key, dtype: int64", "role: key, dtype: int16", ""),
        ("pk: [rid]", "pk: [rid, mean_radius]", ""),
    ],
)
def test_a_primary_key_of_which_no_fresh_ones_can_be_given_is_refused(tmp_path, old, new, says):
    shutil.copytree(EXAMPLES / "cancer-dp-vae", tmp_path / "cancer")
    sref = tmp_path / "cancer" / "cancer.sref.yaml"
    sref.write_text(sref.read_text().replace(old, new))
    outcome = load_spec(spot(tmp_path / "cancer" / "spec.yaml"), Options(today=TODAY)).then(compile_spec)
    found = [finding.message for finding in outcome.diagnostics if finding.code == "engine.backend-unsupported"]
    assert len(found) == bool(says)
    assert all(says in message for message in found)


@pytest.mark.parametrize(
    ("keep", "made_of"), [("{FID_ratio: 1.2}", "FID"), ("{KID_delta: 0.1}", "KID"), ("{covg_delta: -0.1}", "")]
)
def test_what_an_acceleration_keeps_is_made_of_a_figure_that_is_measured(keep, made_of):
    measured = ("evaluation.metrics", "[bpd, inv_error, W1, MMD, covg, mode_drop, MI, latency_ms_p99]")
    told = found("fiber-link-flow", measured, ("acceleration", f"[{{kind: quantize, dtype: int8, keep: {keep}}}]"))
    unmeasured = [finding for finding in told if finding.code == "C40.metric-not-evaluated"]
    assert [finding.path[:3] for finding in unmeasured] == [("acceleration", 0, "keep")] * bool(made_of)
    assert all(finding.help.startswith(f"add {made_of} to") for finding in unmeasured)
