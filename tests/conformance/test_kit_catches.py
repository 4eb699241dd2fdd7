"""Every check of the kit has a backend that breaks its law, and catches it; the honest backend passes it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pytest

from synthspec.backend import artifacts, null, reference
from synthspec.backend.dataset import Dataset, read_dataset, write_dataset
from synthspec.backend.scores import write_scores
from synthspec.ir.evidence import Figure
from synthspec.spec.conditioning import Variable
from synthspec.testing import catalogue, conformance

CHECK = {conformance.name_of(check): check for check in conformance.CHECKS}


@dataclass(frozen=True)
class Tampered:
    """`honest` with some kernels wrapped, ``wrap(kernel)(op, inputs, context)``, and with `further` ones."""

    honest: object
    wraps: dict = field(default_factory=dict)
    changes: dict = field(default_factory=dict)

    def __getattr__(self, name):
        return self.changes[name] if name in self.changes else getattr(self.honest, name)

    def kernels(self):
        kernels = {name: self.wraps.get(name, lambda kernel: kernel)(k) for name, k in self.honest.kernels().items()}
        return {**kernels, **self.changes.get("further", {})}


def before(edit):
    """A wrap that changes the op."""
    return lambda kernel: lambda op, inputs, context: kernel(edit(op), inputs, context)


def after(edit):
    """A wrap that edits what was written: ``edit(op, inputs, context)``."""

    def wrap(kernel):
        def run(op, inputs, context):
            kernel(op, inputs, context)
            edit(op, inputs, context)

        return run

    return wrap


def edit_data(change):
    def edit(op, inputs, context):
        columns = {name: np.array(c) for name, c in read_dataset(context.out / artifacts.DATA).columns.items()}
        write_dataset(context.out, Dataset(change(columns, op, context) or columns))

    return after(edit)


def edit_report(name, kind, **changes):
    def edit(op, inputs, context):
        report = artifacts.read_report(context.out / name, kind)
        artifacts.write_report(context.out, name, replace(report, **changes))

    return after(edit)


fit_report = partial(edit_report, artifacts.FIT_REPORT, artifacts.FitReport)
sample_report = partial(edit_report, artifacts.SAMPLE_REPORT, artifacts.SampleReport)
replay_report = partial(edit_report, artifacts.REPLAY_REPORT, artifacts.ReplayReport)


def random_weights(op, inputs, context):
    (context.out / "weights/more.safetensors").write_bytes(np.random.default_rng().bytes(8))


def pickled(op, inputs, context):
    (context.out / "weights/engine.pkl").write_bytes(b"")


def copies_all_rows(op, inputs, context):
    (context.out / "weights/data.safetensors").write_bytes(inputs["data"].path(artifacts.DATA).read_bytes())


def writes_into_inputs(op, inputs, context):
    (inputs["data"].folder / "cache.json").write_text("{}")


def fails(op, inputs, context):
    raise ValueError("mean of an empty slice")


def by_workers(columns, op, context):
    columns["width"][0] = context.workers


def by_batch(columns, op, context):
    columns["width"][0] = (context.batch or op.block) // op.block


def reversed_rows(columns, op, context):
    return {name: column[::-1] for name, column in columns.items()}


def out_of_range(columns, op, context):
    columns["width"][3] = 10.5


def other_dtype(columns, op, context):
    columns["width"] = columns["width"].astype(np.float64)


def unknown_column(columns, op, context):
    columns["more"] = columns["width"]


def no_condition(columns, op, context):
    del columns["label"]


def not_finite(columns, op, context):
    columns["height"][0] = np.nan


def no_member(columns, op, context):
    columns["label"][0] = 3


def warm_up_kept(op, inputs, context):
    write_dataset(context.out, Dataset({"latency_ms": np.ones(op.requests + op.warmup)}), artifacts.LATENCIES)


def negative_times(op, inputs, context):
    write_dataset(context.out, Dataset({"latency_ms": -np.ones(op.requests)}), artifacts.LATENCIES)


def advances_too_far(op, inputs, context):
    context.progress.advance(10**6)


def with_variables(law, op):
    variables = tuple((name, Variable(interface=v.interface, distribution=law)) for name, v in op.variables)
    return replace(op, variables=variables)


def on_another_scale(op):
    """diffusers' guidance_scale taken for w_cfg: the classic."""
    return replace(op, w_cfg=op.w_cfg + 1) if op.w_cfg else op


NULL, REFERENCE = null.BACKEND, reference.BACKEND
VAE = catalogue.sample(catalogue.fit("vae", "tabular"), n=200)
DIFFUSION = catalogue.sample(catalogue.fit("diffusion", "tabular"))
BREAKS = [
    ("says_what_it_is", NULL, {}, {"version": ""}),
    ("says_what_it_is", NULL, {}, {"missing": lambda: "pip install more"}),
    ("says_what_it_is", NULL, {}, {"environment": dict}),
    ("supports_answers_every_op", NULL, {}, {"supports": lambda op: ["not a tuple of reasons"]}),
    ("supports_answers_every_op", NULL, {}, {"supports": lambda op: ("no",)}),
    ("supports_answers_every_op", NULL, {}, {"supports": lambda op: ("said it twice over",) * 2}),
    ("takes_only_its_own_ops", NULL, {}, {"supports": lambda op: ()}),
    ("takes_the_case", NULL, {}, {"supports": lambda op: () if op.op == "fit" else ("trains but never samples",)}),
    ("fit_repeats_itself", NULL, {"fit": after(random_weights)}, {}),
    ("fit_writes_what_it_says", NULL, {"fit": after(pickled)}, {}),
    ("fit_reports_honestly", NULL, {"fit": fit_report(status="done")}, {}),
    ("fit_reports_honestly", NULL, {"fit": fit_report(best_step=9)}, {}),
    ("fit_never_sees_the_test_rows", NULL, {"fit": after(copies_all_rows)}, {}),
    ("inputs_stay_as_they_are", NULL, {"fit": after(writes_into_inputs)}, {}),
    ("faults_of_the_data_are_said", NULL, {"fit": lambda kernel: fails}, {}),
    ("sample_is_shard_invariant", NULL, {"sample": edit_data(by_workers)}, {}),
    ("sample_is_shard_invariant", NULL, {"sample": edit_data(by_batch)}, {}),
    ("sample_has_the_prefix_property", NULL, {"sample": edit_data(reversed_rows)}, {}),
    ("sample_depends_on_the_seed", NULL, {"sample": before(lambda op: replace(op, seed=1))}, {}),
    ("sample_fits_the_schema", NULL, {"sample": edit_data(out_of_range)}, {}),
    ("sample_fits_the_schema", NULL, {"sample": edit_data(other_dtype)}, {}),
    ("sample_fits_the_schema", NULL, {"sample": edit_data(unknown_column)}, {}),
    ("sample_fits_the_schema", NULL, {"sample": edit_data(no_condition)}, {}),
    ("sample_fits_the_schema", NULL, {"sample": edit_data(not_finite)}, {}),
    ("sample_fits_the_schema", NULL, {"sample": edit_data(no_member)}, {}),
    ("evaluations_are_those_of_the_solver", NULL, {"sample": sample_report(net_evals_per_sample=5)}, {}),
    ("evaluations_are_those_of_the_solver", REFERENCE, {"sample": sample_report(net_evals_per_sample=5)}, {}),
    ("evaluations_are_those_of_the_solver", REFERENCE, {"sample": sample_report(cfg_evals=5)}, {}),
    ("evaluations_are_those_of_the_solver", NULL, {"sample": sample_report(records=1)}, {}),
    ("replay_finds_what_changed", NULL, {"replay": replay_report(mismatches=0)}, {}),
    ("replay_finds_what_changed", NULL, {"replay": replay_report(mismatches=1)}, {}),
    ("latency_is_timed_request_by_request", NULL, {"latency": after(warm_up_kept)}, {}),
    ("latency_is_timed_request_by_request", NULL, {"latency": after(negative_times)}, {}),
    ("progress_adds_up", NULL, {"sample": after(advances_too_far)}, {}),
    ("held_conditions_are_honoured", NULL, {"sample": before(lambda op: replace(op, condition=()))}, {}),
    ("empirical_conditions_come_from_training", NULL, {"sample": before(partial(with_variables, "uniform"))}, {}),
    ("declared_shares_are_honoured", NULL, {"sample": before(partial(with_variables, "empirical"))}, {}),
    ("no_guidance_is_the_conditional_model", REFERENCE, {"sample": before(on_another_scale)}, {}),
    ("no_guidance_is_the_conditional_model", REFERENCE, {"sample": before(lambda op: replace(op, w_cfg=0.0))}, {}),
]


def assessing(**wrong):
    """A backend that takes `assess`, and answers with figures that are `wrong`."""
    right = {"value": 1.0, "lower": 0.5, "upper": 2.0, "split": "test"}

    def assess(op, inputs, context):
        names = op.metrics[1:] if wrong == {"name": ""} else op.metrics
        told = {**right, **wrong, "name": ""}
        figures = tuple(Figure(**{**told, "name": name, "label": name}) for name in names)
        artifacts.write_report(context.out, artifacts.FIGURES, figures)

    return {
        "supports": lambda op: () if op.op == "assess" else NULL.supports(op),
        "further": {"assess": assess},
    }


BREAKS += [
    ("figures_are_those_asked_for", NULL, {}, assessing(name="")),
    ("figures_are_those_asked_for", NULL, {}, assessing(value=None, lower=None, upper=None)),
    ("figures_are_those_asked_for", NULL, {}, assessing(upper=0.9)),
    ("figures_are_those_asked_for", NULL, {}, assessing(lower=1.1)),
    ("figures_are_those_asked_for", NULL, {}, assessing(split="train")),
]


def scoring(wrong):
    """A backend whose engine scores records, and gets `wrong` wrong."""
    calls = []

    def assess(op, inputs, context):
        calls.append(op)
        artifacts.write_report(context.out, artifacts.FIGURES, ())
        if wrong == "records":
            op = replace(op, seed=op.seed + 1)
        if wrong == "splits":
            op = replace(op, scored=op.scored[:1])
        value = {"numbers": np.nan, "again": float(len(calls))}.get(wrong, 0.5)
        how = "" if wrong == "words" else "a half"
        write_scores(op, inputs, context, lambda data: np.full(len(data), value), how)

    return {
        "supports": lambda op: () if op.op == "assess" else NULL.supports(op),
        "further": {"assess": assess},
    }


BREAKS += [
    ("scores_are_of_the_records_that_are_attacked", NULL, {}, scoring(wrong))
    for wrong in ("records", "splits", "numbers", "again", "words")
]


def test_honest_scores_pass(tmp_path):
    trial = tried(NULL, tmp_path)
    trial.backend = Tampered(NULL, {}, scoring("nothing"))
    CHECK["scores_are_of_the_records_that_are_attacked"](trial)


def test_honest_figures_pass(tmp_path):
    trial = tried(NULL, tmp_path)
    trial.backend = Tampered(NULL, {}, assessing())
    CHECK["figures_are_those_asked_for"](trial)


def tried(backend, folder):
    sample = DIFFUSION if backend is REFERENCE else VAE
    return conformance.Trial(conformance.Case(target=f"{type(backend).__module__}:BACKEND", sample=sample), folder)


@pytest.mark.parametrize(
    ("check", "honest", "wraps", "changes"), BREAKS, ids=[f"{row}-{entry[0]}" for row, entry in enumerate(BREAKS)]
)
def test_a_broken_law_is_caught(check, honest, wraps, changes, tmp_path):
    CHECK[check](tried(honest, tmp_path / "honest"))
    broken = tried(honest, tmp_path / "broken")
    broken.backend = Tampered(honest, wraps, changes)
    with pytest.raises(conformance.NonconformanceError):
        CHECK[check](broken)


PLUGIN = """
{top}
from synthspec.backend.null import NullBackend
class Careless(NullBackend):
    def supports(self, op):
        {inside}
        return super(Careless, self).supports(op)
BACKEND = Careless()
"""


@pytest.mark.parametrize(
    ("name", "top", "inside"),
    [
        ("careless_loads", "import numpy", "pass"),
        ("careless_imports", "", "import wave"),
        ("careless_reads", "", "open(__file__).close()"),
        ("careless_fails", "raise RuntimeError", "pass"),
    ],
)
def test_a_plugin_that_is_heavy_or_impure_is_caught(name, top, inside, tmp_path, monkeypatch):
    (tmp_path / f"{name}.py").write_text(PLUGIN.format(top=top, inside=inside))
    monkeypatch.syspath_prepend(str(tmp_path))
    trial = conformance.Trial(conformance.Case(target=f"{name}:BACKEND", sample=VAE), tmp_path / "trial")
    with pytest.raises(conformance.NonconformanceError):
        CHECK["loads_no_framework"](trial)


def test_every_check_is_shown_to_catch_something():
    assert {entry[0] for entry in BREAKS} | {"loads_no_framework"} == set(CHECK)
