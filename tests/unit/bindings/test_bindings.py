"""The bindings of section VII: the standard's names, thin over the pipeline, lazy, and refusing what a rule refuses."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import subprocess
import sys

import numpy as np
import pytest

from synthspec import bindings
from synthspec.accounting import Composed, Gaussian, PoissonGaussian, Unknown, eps_total
from synthspec.backend.releases import PrivacyRecord
from synthspec.bindings.documents import plain
from synthspec.ir.canonical import canonical_bytes
from synthspec.pipeline.verifying import verify
from synthspec.report.standard import clauses

SPLIT = {"method": "hash", "key": "rid", "train": 0.5, "val": 0.25, "test": 0.25, "seed": 3}
SREF = {
    "metadata": {"name": "marks", "version": "1.0.0"},
    "modality": "tabular",
    "fields": [
        {"name": "rid", "role": "key", "dtype": "int64"},
        {"name": "x", "role": "content", "dtype": "float32", "unit": "m", "range": [0, 1]},
        {"name": "y", "role": "content", "dtype": "float32", "unit": "dimensionless", "range": [-2, 2]},
        {"name": "kind", "role": "condition", "dtype": "categorical", "enum": ["a", "b"]},
    ],
    "keys": {"pk": ["rid"]},
}
MORE = {
    "training": {"epochs": 1, "batch_size": 64, "optimizer": {"name": "adam", "lr": 1e-3}, "seed": 4},
    "conditioning": {
        "variables": {"kind": {"interface": "categorical", "distribution": "uniform", "coverage_min": 1.0}}
    },
    "backend": "null",
}
MLP = {"name": "mlp", "hidden": [8], "latent_dim": 2}


def columns(n=400):
    draw = np.random.default_rng(5)
    return {
        "rid": np.arange(n),
        "x": draw.random(n),
        "y": draw.uniform(-2, 2, n),
        "kind": draw.choice(["a", "b"], n),
    }


@pytest.fixture(scope="module")
def ds(tmp_path_factory):
    return bindings.dataset(columns(), SREF, split=SPLIT, work=tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def gan(ds):
    return bindings.fit_engine_gan(ds, MLP, "hinge", None, (), "none", **MORE)


@pytest.fixture(scope="module")
def drawn(gan):
    return bindings.sample_gan(gan, 200, None, 7)


def codes(caught):
    return {found.code for found in caught.value.findings}


# -- names --------------------------------------------------------------------------------------------------------------


def standard_signatures():
    """(name, arguments in the standard's order) of every function of section VII."""
    found = []
    for entry in clauses().values():
        if entry.id.startswith("I40-5.") and "(" in entry.title:
            name, _, rest = entry.title.partition("(")
            found.append((name, [word.strip() for word in rest.rstrip(")").split(",")]))
    return found


@pytest.mark.parametrize(
    ("name", "words"), standard_signatures(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_binding_has_the_name_and_the_arguments_of_the_standard(name, words):
    parameters = inspect.signature(getattr(bindings, name)).parameters
    assert list(parameters)[: len(words)] == words
    rest = list(parameters.values())[len(words) :]
    assert all(p.default is not p.empty or p.kind in {p.VAR_KEYWORD, p.KEYWORD_ONLY} for p in rest)
    assert getattr(bindings, name).__doc__


def test_every_fit_takes_privacy():
    for family in ("vae", "gan", "flow", "diffusion"):
        assert "privacy" in inspect.signature(getattr(bindings, f"fit_engine_{family}")).parameters


def test_importing_the_bindings_loads_no_framework_and_no_numpy():
    heavy = "torch diffusers numpy scipy networkx cryptography"
    code = f"import sys, synthspec.bindings; print([n for n in {heavy.split()!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- data ---------------------------------------------------------------------------------------------------------------


def test_columns_files_and_carried_sets(tmp_path, ds):
    assert ds.path is not None
    assert ds.path.is_file()
    assert bindings.dataset(columns(), SREF, split=SPLIT, work=ds.work) == ds
    named = bindings.dataset(tmp_path / "sub" / "x.csv", tmp_path / "x.yaml", split=SPLIT)
    assert (named.source, named.base) == ("sub/x.csv", tmp_path)
    carried = bindings.dataset("sklearn://iris", tmp_path / "x.yaml")
    assert (carried.source, carried.path) == ("sklearn://iris", None)


def test_objects_are_not_columns(tmp_path):
    with pytest.raises(bindings.BindingError, match="'x' is an array of object"):
        bindings.dataset({"x": np.array([{}, None])}, SREF, work=tmp_path)


@pytest.mark.parametrize("value", [{"a": np.float32(0.5)}, {"a": 0.5}])
def test_numbers_of_numpy_are_plain_numbers(value):
    assert plain(value, "x") == {"a": 0.5}


@pytest.mark.parametrize("value", [object(), b"x", {"a": {1}}])
def test_what_no_document_says_is_refused(value):
    with pytest.raises(bindings.BindingError, match="nothing that a spec can say"):
        plain(value, "arch")


# -- the road -----------------------------------------------------------------------------------------------------------


def test_an_engine_has_its_files_and_its_evidence(gan):
    assert gan.weights
    assert all(path.is_file() for path in gan.weights)
    assert gan.evidence.status


def test_the_same_call_is_the_same_engine_and_another_seed_of_samples_does_not_train(ds, gan):
    assert bindings.fit_engine_gan(ds, MLP, "hinge", None, (), "none", **MORE) == gan
    bindings.sample_gan(gan, 20, None, 9)
    lines = (ds.work / "store" / "journal.jsonl").read_text().splitlines()
    fits = [json.loads(line)["entry"]["state"] for line in lines if json.loads(line)["entry"].get("op") == "fit"]
    assert fits.count("done") == 1
    assert fits.count("reused") >= 2


def test_a_seed_reproduces_and_another_one_differs(gan, drawn):
    def digest(samples):
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in samples.files]

    again = bindings.sample_gan(gan, 200, None, 7, workers=2)
    other = bindings.sample_gan(gan, 200, None, 8)
    assert digest(again) == digest(drawn)
    assert again.digest == drawn.digest
    assert digest(other) != digest(drawn)


def test_exactly_n_records_under_the_condition(gan):
    only = bindings.sample_gan(gan, 50, {"kind": "b"}, 7).columns()
    assert len(only["rid"]) == 50
    assert set(only["kind"].tolist()) == {"b"}
    assert only["x"].dtype == np.float32
    assert (only["x"] >= 0).all()
    assert (only["x"] <= 1).all()


def test_figures_against_the_data_of_the_engine(ds, drawn):
    report = bindings.measure_gen_metrics(ds, drawn, ["W1", "MI"])
    assert report["W1"].split == "test"
    assert report["MI"].value is not None
    assert set(report) >= {"W1", "MI", "replay_mismatches"}
    with pytest.raises(KeyError):
        report["FID"]


def test_figures_between_files(ds, drawn, tmp_path):
    file = drawn.files[0]
    report = bindings.measure_gen_metrics(file, drawn, ["W1"])
    assert report["W1"].value == 0
    with pytest.raises(bindings.BindingError, match="name the SRef"):
        bindings.measure_gen_metrics(file, file, ["W1"])
    with pytest.raises(bindings.BindingError, match="'W11' is no metric"):
        bindings.measure_gen_metrics(file, file, ["W11"], sref=ds.sref)


CONTRACTS = {
    "C40-511": {"tol_W1": 0.9},
    "C40-515": {"covg_min": 0.05, "tol_mode_drop": 0.5},
    "C40-516": {"mi_max": 0.9},
    "C40-518": {},
    "C40-519": {},
}
EVALUATION = {
    "reference": "test",
    "metrics": ["W1", "covg", "mode_drop", "MI"],
    "membership_attack": {"members": "train", "non_members": "val"},
}


def test_the_manifest_is_signed_and_verifies(drawn, tmp_path):
    emitted = bindings.emit_deep_manifest(
        drawn, contracts=CONTRACTS, evaluation=EVALUATION, out=tmp_path / "run", metadata={"name": "marks"}
    )
    found = verify(emitted.folder)
    assert found.refusals == ()
    assert emitted.passed == (emitted.manifest.verdict == "PASS")
    assert emitted.manifest.release.stream == "marks"
    assert emitted.evidence.get("W1") is not None
    assert [path.name for path in emitted.weights] == [path.name for path in drawn.engine.weights]
    assert (emitted.folder / "samples.csv").read_bytes() == drawn.files[0].read_bytes()


def test_nothing_is_signed_without_thresholds(drawn, tmp_path):
    with pytest.raises(bindings.BindingError) as caught:
        bindings.emit_deep_manifest(drawn, contracts={"C40-511": {}}, evaluation=EVALUATION, out=tmp_path / "run")
    assert codes(caught) >= {"C40.missing", "C40.threshold-missing"}
    assert not (tmp_path / "run").exists()


# -- refusals -----------------------------------------------------------------------------------------------------------


def test_what_a_rule_refuses_is_refused_with_all_findings(tmp_path):
    bare = bindings.dataset(columns(20), SREF, work=tmp_path)
    with pytest.raises(bindings.BindingError) as caught:
        bindings.fit_engine_vae(bare, {**MLP, "likelihood": "mixed"}, -1.0, {"mechanism": "dp-sgd"})
    assert codes(caught) >= {"P405-9.split-missing", "P405-1.beta-invalid", "P405-4.delta-missing"}
    assert not (tmp_path / "store").exists()


def test_a_mechanism_on_a_flow_is_never_dropped(ds):
    with pytest.raises(bindings.BindingError) as caught:
        bindings.fit_engine_flow(
            ds, {"name": "affine_coupling", "transforms": 2, "hidden": [8]}, "normal", None, {"mechanism": "pate"}
        )
    assert "P405-4.binding-without-privacy" in codes(caught)


def test_an_engine_of_another_family_is_refused(gan):
    with pytest.raises(bindings.BindingError, match="takes an engine of the family vae"):
        bindings.sample_vae(gan, 1, None, 1)
    with pytest.raises(bindings.BindingError, match="family diffusion"):
        bindings.distill_diffusion(gan, "ddim", "ddim", 4)


@pytest.mark.parametrize("wrong", [{"nobody": 1}, {"kind": "c"}])
def test_a_condition_that_there_is_not_is_refused(gan, wrong):
    with pytest.raises(bindings.BindingError):
        bindings.sample_gan(gan, 5, wrong, 1)


def test_numbers_that_no_document_holds_are_refused(ds):
    with pytest.raises(bindings.BindingError, match="finite"):
        bindings.fit_engine_vae(ds, {**MLP, "likelihood": "mixed"}, math.nan, "none", **MORE)


# -- privacy ------------------------------------------------------------------------------------------------------------

RECORD = PrivacyRecord(
    mechanism="dp-sgd",
    releases=1000,
    planned=1000,
    rate=0.01,
    multiplier=1.0,
    clip_norm=1.0,
    normalizer=64.0,
    unit="record",
    adjacency="zero_out",
    engine="book-keeping",
    rng="secret_csprng",
    hardening="none",
    commitment="0" * 64,
)


def test_the_accountant_adds_up_what_ran(tmp_path):
    event = PoissonGaussian(0.01, 1.0, 1000)
    direct = eps_total(event, 1e-5, "pld", "add_remove").eps
    assert bindings.privacy_accountant(event, delta=1e-5).eps_total == direct
    (tmp_path / "privacy.json").write_bytes(canonical_bytes(RECORD))
    stored = bindings.privacy_accountant(tmp_path, delta=1e-5)
    assert (stored.eps_total, stored.adjacency) == (direct, "zero_out")
    twice = bindings.privacy_accountant([event, tmp_path / "privacy.json"], delta=1e-5)
    assert twice.eps_total == eps_total(Composed((event, event)), 1e-5, "pld", "zero_out").eps > direct
    assert bindings.privacy_accountant([Gaussian(5.0), Unknown("a look")], delta=1e-5).eps_total == math.inf


def test_no_mechanism_is_no_privacy(gan):
    assert bindings.privacy_accountant(gan).eps_total == math.inf


@pytest.mark.parametrize(
    ("logs", "more", "code"),
    [
        (Gaussian(5.0), {}, "P405-4.delta-missing"),
        (RECORD, {"delta": 1e-5, "adjacency": "replace_one"}, "P405-4.adjacency-mismatch"),
        (Gaussian(5.0), {"delta": 2.0, "accountant": "analytic"}, "schema.bad-value"),
    ],
)
def test_an_account_that_means_nothing_is_refused(logs, more, code):
    with pytest.raises(bindings.BindingError) as caught:
        bindings.privacy_accountant(logs, **more)
    assert codes(caught) == {code}
