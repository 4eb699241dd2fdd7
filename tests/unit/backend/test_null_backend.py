"""The floor: it learns nothing, says so, and draws what the schema allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthspec.backend.artifacts import DATA, FitReport, SampleReport
from synthspec.backend.dataset import read_dataset
from synthspec.backend.null import BACKEND
from synthspec.ir.schema import Field, Schema
from synthspec.spec.privacy import DpSgd
from synthspec.testing import catalogue
from synthspec.testing.conformance import Case, Trial

TARGET = "synthspec.backend.null:BACKEND"


def trial(sample, folder):
    return Trial(Case(target=TARGET, sample=sample), folder)


@pytest.mark.parametrize("modality", catalogue.MODALITIES)
@pytest.mark.parametrize("family", catalogue.FAMILIES)
def test_every_family_and_modality_is_taken(family, modality):
    sample = catalogue.sample(catalogue.fit(family, modality))
    for op in (sample.fit, sample, *catalogue.made_from(sample)):
        assert BACKEND.supports(op) == ()


def test_it_reports_that_nothing_was_learnt(tmp_path):
    tried = trial(catalogue.sample(catalogue.fit("diffusion", "image")), tmp_path)
    assert tried.fit_report == FitReport(status="budget", steps=0, best_step=0, parameters=0)
    expected = SampleReport(records=80, steps=0, net_calls=0, net_evals_per_sample=0)
    assert tried.sample_report == expected


def test_content_is_uniform_whatever_the_data(tmp_path):
    sample = catalogue.sample(catalogue.fit("vae", "tabular"), n=4000, block=500)
    tried = trial(sample, tmp_path)
    width = read_dataset(tried.samples.path(DATA))["width"]
    ranks = np.sort(width) / 10
    even = (np.arange(4000) + 0.5) / 4000
    assert np.abs(ranks - even).max() < 1.63 / np.sqrt(4000)  # Kolmogorov-Smirnov, 1%
    assert abs(tried.dataset["width"].std() - width.std()) > 0.5


def test_times_are_counted_and_keys_are_left_to_others(tmp_path):
    tried = trial(catalogue.sample(catalogue.fit("flow", "timeseries"), n=70), tmp_path)
    drawn = read_dataset(tried.samples.path(DATA))
    assert set(drawn.columns) == {"tau_mono", "ts", "temp", "power"}
    assert drawn["tau_mono"].tolist() == list(range(70))
    assert drawn["ts"].dtype == np.int64
    assert (np.diff(drawn["ts"]) == 10**9).all()


def test_fields_drawn_without_a_range_are_named(tmp_path):
    fields = (Field(name="free", role="content", dtype="float32"), Field(name="n", role="content", dtype="int16"))
    fit = replace(catalogue.fit("vae", "tabular"), schema=Schema(modality="tabular", fields=fields), conditions=())
    tried = trial(replace(catalogue.sample(fit), variables=()), tmp_path)
    assert dict(tried.fit_report.facts) == {"drawn_from_0_to_1": "free, n"}
    drawn = read_dataset(tried.samples.path(DATA))
    assert 0 <= drawn["free"].min() < drawn["free"].max() <= 1
    assert set(drawn["n"].tolist()) == {0, 1}


def test_what_it_cannot_do_is_said():
    fit = catalogue.fit("vae", "tabular")
    text = Field(name="note", role="content", dtype="string")
    open_end = Field(name="kind", role="content", dtype="categorical")
    schema = replace(fit.schema, fields=(*fit.schema.fields, text, open_end))
    reasons = BACKEND.supports(replace(fit, schema=schema, privacy=DpSgd(mechanism="dp-sgd")))
    assert [word in reason for word, reason in zip(("note", "kind", "dp-sgd"), reasons, strict=True)] == [True] * 3


def test_it_needs_the_data_extra(monkeypatch):
    assert BACKEND.missing() == ""
    monkeypatch.setattr("synthspec.backend.environment.find_spec", lambda name: None)
    assert BACKEND.missing() == "pip install 'synthspec[data]'"
