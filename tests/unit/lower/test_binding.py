"""The data of a spec as operations: other tables, filled gaps, transforms; and what a mechanism leaves of them."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from synthspec.ir.ops import Bind, Fit, Impute, Measure, Refer
from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, load_spec, spot

EXAMPLES = Path(__file__).parents[3] / "examples"
TODAY = date(2026, 6, 1)
WARD = "  - {name: ward, role: key, dtype: string}\n"


@pytest.fixture
def project(tmp_path):
    """The example under DP-SGD, whose records point to wards."""
    folder = tmp_path / "cancer"
    shutil.copytree(EXAMPLES / "cancer-dp-vae", folder)
    (sref,) = folder.glob("*.sref.yaml")
    text = sref.read_text().replace("keys: {pk: [rid]", "keys: {fk: {ward: wards.id}, pk: [rid]")
    sref.write_text(text.replace("\nfields:\n", "\nfields:\n" + WARD))
    (folder / "wards.csv").write_text("id\nW1\n")
    return folder


def compiled(folder, *overrides):
    outcome = load_spec(spot(folder / "spec.yaml"), Options(today=TODAY, overrides=overrides)).then(compile_spec)
    return outcome.value, [(each.code, ".".join(map(str, each.path))) for each in outcome.diagnostics]


def ops(plan, kind):
    return [node.op for node in plan.nodes if isinstance(node.op, kind)]


def wards(public):
    return "data.references", f"{{wards: {{source: wards.csv, public: {public}}}}}"


def test_under_a_mechanism_a_referred_table_has_to_be_public(project):
    _, found = compiled(project, wards("false"))
    assert found == [("P405-4.data-dependent-domain", "data.references.wards")]


def test_under_a_mechanism_no_record_says_which_keys_are_used(project):
    plan, found = compiled(project, wards("true"))
    assert not found
    (bind,) = ops(plan, Bind)
    (refer,) = ops(plan, Refer)
    assert [each.fan_out for each in (*bind.references, *refer.references)] == ["uniform", "uniform"]
    assert (bind.references[0].table, bind.references[0].column) == ("wards", "id")


def without_gaps(folder, policy):
    (sref,) = folder.glob("*.sref.yaml")
    sref.write_text(sref.read_text() + f"policy: {policy}\n")


def test_what_is_left_out_may_not_change_a_public_size(project):
    assert "dataset_size: {public: true" in (project / "spec.yaml").read_text()
    without_gaps(project, "{orphans: {ward: drop}}")
    _, found = compiled(project, wards("true"))
    assert found == [("P405-4.private-size-used", "privacy.dataset_size")]


def test_a_constant_reads_no_record(project):
    (sref,) = project.glob("*.sref.yaml")
    name = next(field for field in ("mean_radius", "mean_area") if field in sref.read_text())
    without_gaps(project, f"{{nulls: {{{name}: impute}}}}")
    _, found = compiled(project, wards("true"), ("data.impute", f"{{{name}: median}}"))
    assert found == [("P405-4.data-dependent-transform", f"data.impute.{name}")]
    plan, found = compiled(project, wards("true"), ("data.impute", f"{{{name}: {{constant: 12.5}}}}"))
    assert not found
    (impute,) = ops(plan, Impute)
    assert impute.fill[0][0] == name
    feeds = {node.id: {edge.port: edge.node for edge in node.inputs} for node in plan.nodes}
    for node in ("fit", "sample", "enforce", "measure"):
        assert feeds[node]["data"] == "impute", node
    assert (feeds["split"]["data"], feeds["refer"]["data"]) == ("bind", "bind")
    assert feeds["export"]["samples"] == "refer"


def test_a_transform_is_known_to_what_trains_alone():
    plan, _ = compiled(EXAMPLES / "fiber-link-flow", ("data.transform", "{power_in: log}"))
    (fit,), (bind,), (measure,) = (ops(plan, kind) for kind in (Fit, Bind, Measure))
    assert fit.schema.field("power_in").transform == "log"
    assert {bind.schema.field("power_in").transform, measure.schema.field("power_in").transform} == {""}


def test_a_spec_that_says_nothing_has_no_node_for_it():
    plan, _ = compiled(EXAMPLES / "fiber-link-flow")
    assert not ops(plan, Impute)
    assert not ops(plan, Refer)
    assert ops(plan, Bind)[0].references == ()
