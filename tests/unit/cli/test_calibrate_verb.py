"""`synthspec calibrate`: what it prints can be put into the spec, and real records keep it."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from synthspec.cli.program import program
from synthspec.contracts import CONTRACTS
from synthspec.contracts.gate import result_of
from synthspec.execute.core.measure import described, first_class, sample_of
from synthspec.ir.evidence import evidence
from synthspec.judge.bound import judge_bound
from synthspec.metrics import Request
from synthspec.metrics.null import null_figures
from synthspec.metrics.stream import stream

EXAMPLES = Path(__file__).parents[3] / "examples"
TERMS = {term.symbol: term for contract in CONTRACTS for term in contract.terms if term.symbol}


def run(*words):
    whole = ["calibrate", *words]
    return CliRunner().invoke(program(whole), whole)


@pytest.fixture
def table(tmp_path):
    """The flow of the fibre link on records of its law, without the sections that a draft may lack."""
    spec = (EXAMPLES / "fiber-link-flow" / "spec.yaml").read_text()
    spec = re.sub(r"(?ms)^contracts:\n.*?(?=^\S|\Z)", "", spec)
    spec = re.sub(r"metrics: \[.*\]", "metrics: [W1, covg, MMD]", spec)
    spec = re.sub(r"(?m)^(  split:) .*$", r"\1 {method: random, seed: 1, train: 0.4, val: 0.2, test: 0.4}", spec)
    spec = re.sub(r"(?m)^(timebase|arrival):.*\n", "", spec)
    sref = (EXAMPLES / "fiber-link-flow" / "fiber_link.sref.yaml").read_text().split("time:")[0]
    sref = re.sub(r"(?m)^ .*role: time.*\n", "", sref).replace("timeseries", "tabular")
    (tmp_path / "fiber_link.sref.yaml").write_text(sref)
    (tmp_path / "spec.yaml").write_text(spec)
    r = stream(61, "fibre")
    power = np.clip(r.lognormal(0, 0.6, 600), 0.02, 19)
    lines = (f"{i},{t:.2f},{p:.5f},{1000 * p * 10 ** (-g / 10):.4f}" for i, (t, p, g) in enumerate(
        zip(r.normal(20, 8, 600), power, r.uniform(5, 20, 600), strict=True)))  # fmt: skip
    (tmp_path / "fiber_link.csv").write_text("rid,temp,power_in,power_out\n" + "\n".join(lines) + "\n")
    return tmp_path / "spec.yaml"


def test_a_draft_without_contracts_gets_a_block_that_is_yaml_of_the_language(table):
    answer = run(str(table), "--cuts", "19", "--quiet")
    assert answer.exit_code == 0, answer.output
    block = yaml.safe_load(answer.stdout)["contracts"]
    assert set(block) == {"C40-511", "C40-515"}
    assert set(block["C40-511"]) == {"tol_W1", "tol_MMD", "tol_source"}
    assert {limits["tol_source"] for limits in block.values()} == {"calibrated"}
    assert "# not calibrated: tol_bpd: it is about the engine: state it" in answer.stdout
    assert "120 real records against 120 others" in answer.stdout
    again = json.loads(run(str(table), "--cuts", "19", "--quiet", "--format", "json").stdout)
    assert again["contracts"] == block
    assert again["null"]["n_syn"] == 120
    other = run(str(table), "--cuts", "19", "--quiet", "--seed", "1")
    assert yaml.safe_load(other.stdout)["contracts"] != block


def test_fresh_halves_keep_what_was_calibrated(table):
    """The acceptance of calibration: new cuts of the same test split, judged as a run judges them."""
    found = json.loads(run(str(table), "--cuts", "39", "--quiet", "--format", "json", "--margin", "0").stdout)
    limits = {s: v for block in found["contracts"].values() for s, v in block.items() if s != "tol_source"}
    request = _request(table)
    kept = 0
    for figures in null_figures([TERMS[s].metric for s in limits], request, 120, 20, "another/purpose"):
        known = evidence(figures)
        bounds = tuple(judge_bound(TERMS[symbol].bind(limits), known) for symbol in limits)
        kept += result_of(bounds) == "held"
    assert kept >= 16  # P(fewer) < 0.3 % at 95 %


def _request(spec):
    from datetime import date

    from synthspec.backend.dataset import read_dataset
    from synthspec.backend.protocol import Context
    from synthspec.execute.core.bind import bind
    from synthspec.execute.core.split import rows_of
    from synthspec.ir.ops import Bind, Split
    from synthspec.pipeline.calibrating import UNWRITTEN
    from synthspec.pipeline.front import Options, draft, spot
    from synthspec.report.progress import PlainProgress

    resolved = draft(spot(spec), Options(today=date(2026, 1, 1)), UNWRITTEN).value
    out = spec.parent / "bound"
    out.mkdir()
    with (spec.parent / "log").open("w") as log:
        context = Context(out=out, root=spec.parent, workers=1, progress=PlainProgress(log))
        bind(Bind(source=resolved.spec.data.source, schema=resolved.schema), {}, context)
    data = read_dataset(out / "data.safetensors")
    rows = rows_of(Split(rule=resolved.spec.data.split), data, resolved.schema)
    label = first_class(resolved.schema.with_role("condition"))
    parts = {name: sample_of(resolved.schema, data.take(rows.of(name)), label) for name in ("train", "val", "test")}
    return Request(modality="tabular", fields=tuple(described(resolved.schema)), seed=0, **parts)


def test_private_records_are_not_calibrated_on():
    answer = run(str(EXAMPLES / "cancer-dp-vae" / "spec.yaml"), "--quiet")
    assert answer.exit_code == 1
    assert "no accountant knows it" in answer.stdout


@pytest.mark.parametrize(("words", "code"), [(("--confidence", "1"), 2), (("--cuts", "5"), 1)])
def test_too_little_to_say_is_said(table, words, code):
    answer = run(str(table), "--quiet", *words)
    assert answer.exit_code == code
    assert "confidence" in answer.output


def test_other_mistakes_of_a_draft_are_still_told(table):
    table.write_text(table.read_text().replace("epochs: 60", "epochs: -1"))
    answer = run(str(table), "--quiet")
    assert answer.exit_code == 1
    assert "/training" in run(str(table), "--quiet", "--format", "json").stdout


def test_records_that_are_not_there_are_a_finding(table):
    shutil.move(table.parent / "fiber_link.csv", table.parent / "gone.csv")
    assert run(str(table), "--quiet").exit_code == 1
