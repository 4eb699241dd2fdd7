"""The normative example with times and a path: generated data, a flow over events, one time base, both forms of T_arr."""

from __future__ import annotations

import csv
import importlib.util
import json
import shutil
from importlib.util import find_spec

import numpy as np
import pytest

if find_spec("zuko") is None:
    pytest.skip("flows need zuko", allow_module_level=True)

C = 299792458.0
SMALL = [
    word
    for override in (
        "training.epochs=2",
        "engine.architecture.transforms=2",
        "sampling.n=300",
        "evaluation.metrics=[bpd, inv_error, W1, covg, mode_drop, MI]",
    )
    for word in ("--set", override)
]


@pytest.fixture(scope="module")
def fiber(cli, examples, tmp_path_factory):
    """The folder of the example, and a run of it that learns for two epochs."""
    folder = tmp_path_factory.mktemp("fiber") / "fiber-link-flow"
    shutil.copytree(examples / "fiber-link-flow", folder)
    shutil.copy(examples / "synthspec.toml", folder.parent)
    answer = cli("run", "spec.yaml", *SMALL, "--store", "store", "--out", "run", cwd=folder)
    assert answer.code in (0, 1), answer.err
    return folder, answer


@pytest.fixture(scope="module")
def manifest(fiber):
    return json.loads((fiber[0] / "run" / "manifest.json").read_bytes())


@pytest.fixture(scope="module")
def samples(fiber):
    with (fiber[0] / "run" / "samples.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_script_makes_the_committed_tables(examples):
    folder = examples / "fiber-link-flow"
    loader = importlib.util.spec_from_file_location("make_data", folder / "make_data.py")
    module = importlib.util.module_from_spec(loader)
    loader.loader.exec_module(module)
    assert module.link().encode() == (folder / "fiber_link.csv").read_bytes()
    assert module.path().encode() == (folder / "fiber_path.csv").read_bytes()
    assert module.link(seed=1) != module.link()


def test_time_and_arrival_are_held_by_measurement(manifest):
    contracts = {each["id"]: each for each in manifest["contracts"]}
    assert contracts["C40-517"]["result"] == "held"
    assert {bound["metric"] for bound in contracts["C40-517"]["bounds"]} == {"tau_mono_decreases", "J", "delta_form"}
    assert contracts["C40-518"]["result"] == "held"


def test_the_recorded_clock_is_the_one_that_made_the_data(manifest):
    found = manifest["generation"]["timepath"]
    assert found["ts_timezone"] == "UTC"
    first = 0.159202265  # the offset is told at the first reading
    assert found["tau_mono_origin"].startswith(f"tau_mono = {first} s at 2026-01-01T00:00:00.159202265Z")
    assert abs(found["offset"] - (320e-6 + 2.5e-6 * first)) < 4 * found["u_offset"]
    assert abs(found["skew"] - 2.5e-6) < 4 * found["u_skew"]
    assert found["J"] == pytest.approx(1e-6, rel=0.06)
    assert (found["strategy"], found["clock_steps"], found["gaps"]) == ("slope", 0, 0)


def test_the_recorded_arrival_is_the_integral_of_the_path(manifest):
    found = manifest["generation"]["timepath"]
    length, swing = 40e3, 44e3 / (2 * np.pi)
    exact = (1.4682 * length + 2e-4 * swing * (1 - np.cos(length / swing))) / C
    assert found["T_arr_form1"] == pytest.approx(exact, rel=1e-7)
    assert found["delta_form"] == pytest.approx(exact * 5e-7, rel=1e-3)
    assert found["L_gamma"] == pytest.approx(length, rel=1e-12)


def test_published_records_lie_on_the_published_clock(samples, manifest):
    tau = np.array([float(row["tau_mono"]) for row in samples])
    ts = np.array([row["ts"].removesuffix("Z") for row in samples], "datetime64[ns]")
    assert (np.diff(tau) >= 0).all()
    assert np.diff(tau).mean() == pytest.approx(1.5, rel=0.2)
    origin = np.datetime64("2026-01-01T00:00:00", "ns")
    error = ((ts - origin).astype(np.int64) - np.rint(tau * 1e9)) / 1e9
    found = manifest["generation"]["timepath"]
    assert np.abs(error - (found["offset"] + found["skew"] * tau)).max() < 1e-6


def test_derived_fields_and_rules_hold_in_what_is_published(samples):
    power_in, power_out, loss = (
        np.array([float(row[name]) for row in samples]) for name in ("power_in", "power_out", "loss")
    )
    assert (power_out <= 1e3 * power_in).all()
    assert loss == pytest.approx(10 * np.log10(1e3 * power_in / power_out), rel=1e-5)


def test_the_run_verifies_and_another_path_retrains_nothing(cli, fiber):
    folder, answer = fiber
    verified = cli("verify", "run", "--format", "json", cwd=folder)
    assert verified.code == answer.code
    assert (verified.json["authentic"], verified.json["refusals"]) == (True, [])
    (folder / "fiber_path.csv").write_text(
        (folder / "fiber_path.csv").read_text().replace("1.468200000", "1.468300000")
    )
    changed = cli("run", "spec.yaml", *SMALL, "--store", "store", "--out", "other", cwd=folder)
    lines = [line for line in changed.err.splitlines() if line.startswith(("arrive", "fit", "align"))]
    assert [line.split(": ")[1] == "reused" for line in lines] == [True, True, False]


@pytest.mark.slow
def test_the_example_passes_its_own_contracts(cli, examples, tmp_path):
    answer = cli("run", examples / "fiber-link-flow" / "spec.yaml", "--store", "store", "--out", "run", cwd=tmp_path)
    assert answer.code == 0, answer.err + answer.out
    assert "gate: PASS" in answer.out
    assert cli("verify", "run", cwd=tmp_path).code == 0
