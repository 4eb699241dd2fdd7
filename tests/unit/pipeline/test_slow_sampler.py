"""Section IX, diffusion too slow: the latency breaks C40-514, the spec's action plan is told, and what it says helps.

The clock is one that only evaluations of the network move, so nothing depends on how fast this machine is.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from synthspec.backend import blocks
from synthspec.backend.blocks import sampling_kernels
from synthspec.execute import local
from synthspec.pipeline.compiling import compile_spec
from synthspec.pipeline.front import Options, load_spec, spot
from synthspec.pipeline.running import RunOptions, gather, run_plan
from synthspec.report.style import PLAIN
from synthspec.report.verdict_table import verdict_table
from synthspec.sign import SigningKey, create_key
from synthspec_diffusers import kernels

FAST = Path(__file__).parents[3] / "examples" / "digits-diffusion-fast" / "spec.yaml"
ADVICE = "distil to 2 evaluations"
SLOW = (
    ("engine.architecture", "{name: mlp, hidden: [16]}"),
    ("training.epochs", "1"),
    ("conditioning.guidance", "{w_cfg: 0, cfg_max: 0, drop_rate: 0.1}"),
    ("sampling", "{n: 64, seed: 7, rng: philox, solver: ddim, NFE: 8}"),
    ("contracts.C40-514", f"{{NFE_max: 8, SLO_latency: 25 ms, cfg_max: 0, action_plan: {ADVICE}}}"),
)
TEACHER = ("acceleration", "[]")
STUDENT = ("acceleration", "[{kind: distill, method: teacher_student, NFE: 2, steps: 1}]")
EVALUATION = 5_000_000
"""Nanoseconds of one evaluation of the network."""


@dataclass
class Clock:
    """Nanoseconds that stand still while nothing is evaluated."""

    now: int = 0

    def loaded(self, op, inputs):
        """A sampler whose evaluations take their time on this clock."""
        sampler, clock = kernels.load(op, inputs), self

        class Slow:
            device, threads = sampler.device, sampler.threads

            def draw(self, block, size):
                drawn = sampler.draw(block, size)
                clock.now += drawn.net_evals_per_sample * EVALUATION
                return drawn

        return Slow()


class Silent:
    def start(self, label, total, unit):
        """Say nothing."""

    def advance(self, count=1, note=""):
        """Say nothing."""


@pytest.fixture
def run(monkeypatch, tmp_path):
    """A run of the small example on the clock; runs share their trained engine."""
    clock, key = Clock(), create_key(tmp_path / "keys", "test")
    assert isinstance(key, SigningKey)
    monkeypatch.setattr(
        local, "found_again", lambda backend: False
    )  # a replay in this process: it is not what is tried
    monkeypatch.setattr(blocks, "perf_counter_ns", lambda: clock.now)
    monkeypatch.setitem(kernels.KERNELS, "latency", sampling_kernels(clock.loaded)["latency"])

    def ran(name, *overrides):
        plan = load_spec(spot(FAST), Options(today=date(2026, 11, 22), overrides=(*SLOW, *overrides))).then(
            compile_spec
        )
        assert plan.value is not None, plan.diagnostics
        options = RunOptions(store=tmp_path / "store", out=tmp_path / name, base=FAST.parent, key=key)
        done = run_plan(plan.value, options, Silent())
        assert done.value is not None, done.diagnostics
        return done.value, gather(plan.value, done.value.execution)

    return ran


def latency(done):
    """C40-514: what became of its bounds, and its record in the manifest."""
    (record,) = [each for each in done.verdicts.records if each.id == "C40-514"]
    (entry,) = [each for each in done.manifest.contracts if each.id == "C40-514"]
    assert entry.action_plan == record.action_plan == ADVICE
    return {bound.bound.metric: bound.result for bound in record.bounds}


def test_a_slow_sampler_breaks_its_contract_and_distilling_it_as_planned_keeps_it(run):
    slow, found = run("slow", TEACHER)
    assert latency(slow) == {"NFE": "held", "latency_ms_p99": "broken", "w_cfg": "held"}
    assert found.get("latency_ms_p99").value == pytest.approx(8 * 5)
    assert slow.manifest.verdict == "FAIL"
    told = verdict_table(slow.verdicts.records, slow.verdicts.gate, PLAIN)
    assert f"action plans of what is not held:\n  C40-514: {ADVICE}\n" in told
    assert ADVICE in (slow.folder / "manifest.json").read_text()
    quick, found = run("quick", STUDENT)
    assert quick.execution.node("fit").reused
    assert latency(quick) == {"NFE": "held", "latency_ms_p99": "held", "w_cfg": "held"}
    assert ADVICE not in verdict_table(quick.verdicts.records, quick.verdicts.gate, PLAIN)
    figures = [found.get(name).value for name in ("NFE", "latency_ms_p99", "teacher.NFE", "teacher.latency_ms_p99")]
    assert figures == pytest.approx([2, 10, 8, 40])
    distilled = json.loads((quick.folder / "manifest.json").read_text())["deep"]["lineage"]
    assert [step["operation"] for step in distilled] == ["distill"]
