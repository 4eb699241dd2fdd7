"""What single rules compute, against laws and closed forms."""

import math
import re
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthspec.contracts import CONTRACTS
from synthspec.ir.field_types import INTEGERS
from synthspec.ir.figures import COVERAGE_NEIGHBOURS, MEMBERSHIP_LEAST, OF_THE_RUN, coverage_ceiling
from synthspec.ir.signals import SIGNALS, signals_of
from synthspec.ir.solvers import SOLVERS
from synthspec.pipeline.front import Options, spot, validate
from synthspec.rules.contracts import threshold_missing
from synthspec.rules.engine import arch_unknown, head_solver, solver_unknown
from synthspec.rules.measures import FAMILY_MEASURES, misspelt
from synthspec.rules.p405_02_condition import condition_not_in_sref, distribution_invalid
from synthspec.rules.p405_04_privacy import critic_steps_uncounted, mi_bound_inconsistent
from synthspec.rules.p405_07_dimension import irreversible_transform
from synthspec.rules.p405_08_reproducibility import nfe_not_reachable
from synthspec.rules.p405_09_separation import random_split_on_time, reference_not_test, split_sum
from synthspec.rules.sref import derived_cycle
from synthspec.rules.structure import bad_value
from synthspec.rules.subject import levels
from synthspec.spec import engine
from synthspec.spec.conditioning import IntervalGuidance, LinearGuidance, Variable
from synthspec.spec.engine import (
    CosineSchedule,
    EdmSchedule,
    FlowMatchingSchedule,
    LinearSchedule,
    ScaledLinearSchedule,
)
from synthspec.spec.objective import MEASURES, WganGp
from synthspec.spec.sref import Dtype, Modality, SRefField

EXAMPLES = Path(__file__).parents[3] / "examples"


@cache
def example(name):
    return validate(spot(EXAMPLES / name / "spec.yaml"), Options(today=date(2026, 6, 1))).value.resolved


def changed(resolved, path, value):
    """`resolved` with one value of its spec replaced."""
    from dataclasses import replace

    def update(node, way):
        if not way:
            return value
        inner = update(node[way[0]] if isinstance(node, dict) else getattr(node, way[0]), way[1:])
        return {**node, way[0]: inner} if isinstance(node, dict) else node.model_copy(update={way[0]: inner})

    return replace(resolved, spec=update(resolved.spec, path.split(".")))


@given(st.integers(1, 300), st.sampled_from(sorted(SOLVERS)), st.sampled_from([0.0, 0.5]))
def test_a_suggested_nfe_is_reachable(budget, solver, w_cfg):
    spec = changed(example("digits-diffusion"), "sampling.NFE", budget)
    spec = changed(changed(spec, "sampling.solver", solver), "conditioning.guidance.w_cfg", w_cfg)
    findings = nfe_not_reachable.check.run(spec)
    law, factor = SOLVERS[solver], 2 if w_cfg > 0 else 1
    spent = (law.calls(steps) * factor for steps in range(1, budget + 2))
    reachable = budget >= law.calls(1) * factor if law.adaptive else budget in spent
    assert bool(findings) == (not reachable)
    for finding in findings:
        offered = [int(number) for number in re.findall(r"\d+", finding.help)]
        assert offered
        for number in offered:
            assert abs(number - budget) <= law.per_step * factor
            assert not nfe_not_reachable.check.run(changed(spec, "sampling.NFE", number))


def test_a_budget_cannot_exceed_the_schedule():
    spec = changed(example("digits-diffusion"), "engine.noise_schedule.train_steps", 10)
    assert "at most 20" in nfe_not_reachable.check.run(spec)[0].help
    assert not nfe_not_reachable.check.run(changed(spec, "sampling.NFE", 20))


WEIGHTS = st.lists(st.integers(0, 1000), min_size=10, max_size=10).filter(lambda weights: sum(weights) > 0)


@given(WEIGHTS, st.floats(1.001, 2.0))
def test_shares_are_a_law_exactly_when_they_add_up_to_one(weights, excess):
    shares = {str(digit): weight / sum(weights) for digit, weight in enumerate(weights)}
    variable = Variable(interface="categorical", distribution=shares, coverage_min=0.0)
    spec = changed(example("digits-diffusion"), "conditioning.variables.digit", variable)
    assert not distribution_invalid.check.run(spec)
    scaled = {digit: share / excess for digit, share in shares.items()}
    spec = changed(spec, "conditioning.variables.digit.distribution", scaled)
    assert len(distribution_invalid.check.run(spec)) == 1


@given(WEIGHTS, st.floats(0, 1))
def test_coverage_is_owed_of_values_that_are_drawn(weights, coverage):
    shares = {str(digit): weight / sum(weights) for digit, weight in enumerate(weights)}
    variable = Variable(interface="categorical", distribution=shares, coverage_min=coverage)
    spec = changed(example("digits-diffusion"), "conditioning.variables.digit", variable)
    drawn = sum(weight > 0 for weight in weights) / 10
    assert bool(distribution_invalid.check.run(spec)) == (drawn < coverage - 1e-9)


@given(st.integers(0, 100), st.integers(0, 100))
def test_shares_of_a_split_in_decimal_add_up(train, val):
    if train + val > 100:
        return
    spec = example("digits-diffusion")
    for part, hundredths in (("train", train), ("val", val), ("test", 100 - train - val)):
        spec = changed(spec, f"data.split.{part}", hundredths / 100)
    assert not split_sum.check.run(spec)
    assert split_sum.check.run(changed(spec, "data.split.test", (101 - train - val) / 100))


def exact_amplitude(schedule):
    """sqrt of the product of 1 - beta_t over every step."""
    power = 2 if schedule.name == "scaled_linear" else 1
    start, end = schedule.beta_start ** (1 / power), schedule.beta_end ** (1 / power)
    steps = schedule.train_steps
    product = 1.0
    for t in range(steps):
        product *= 1 - (start + (end - start) * t / (steps - 1)) ** power
    return math.sqrt(product)


@pytest.mark.parametrize(
    "schedule",
    [
        LinearSchedule(name="linear", train_steps=1000),
        LinearSchedule(name="linear", train_steps=4000, beta_end=0.005),
        ScaledLinearSchedule(name="scaled_linear", train_steps=1000),
        ScaledLinearSchedule(name="scaled_linear", train_steps=50, beta_end=0.5),
    ],
)
def test_the_last_amplitude_is_that_of_the_schedule(schedule):
    assert head_solver._last_amplitude(schedule) == pytest.approx(exact_amplitude(schedule), rel=2e-3)


def test_published_amplitudes():
    assert head_solver._last_amplitude(LinearSchedule(name="linear", train_steps=1000)) == pytest.approx(
        0.0064, abs=5e-5
    )
    scaled = ScaledLinearSchedule(name="scaled_linear", train_steps=1000)
    assert head_solver._last_amplitude(scaled) == pytest.approx(0.068, abs=5e-4)


@pytest.mark.parametrize(("name", "owed"), [("edm", "x0"), ("flow_matching", "v")])
@pytest.mark.parametrize("head", ["eps", "x0", "v"])
def test_schedules_with_a_head_of_their_own_say_which(name, owed, head):
    schedule = {"edm": EdmSchedule, "flow_matching": FlowMatchingSchedule}[name](name=name)
    spec = changed(changed(example("digits-diffusion"), "objective.head", head), "engine.noise_schedule", schedule)
    assert [finding.help for finding in head_solver.check.run(spec)] == [f"write head: {owed}"] * (head != owed)
    # However many steps: between any two of their levels there is another.
    assert not nfe_not_reachable.check.run(changed(spec, "sampling.NFE", 10**9))


@pytest.mark.parametrize(
    ("schedule", "signal"),
    [
        (LinearSchedule(name="linear", train_steps=1000), True),
        (CosineSchedule(name="cosine", train_steps=1000, zero_terminal_snr=True), False),
        (FlowMatchingSchedule(name="flow_matching"), False),
        (EdmSchedule(name="edm"), True),
    ],
)
def test_the_reverse_sde_needs_signal_where_it_starts(schedule, signal):
    spec = changed(example("digits-diffusion"), "objective.head", "x0" if schedule.name == "edm" else "v")
    spec = changed(changed(spec, "engine.noise_schedule", schedule), "sampling.solver", "euler_maruyama")
    assert ["no step away" in finding.message for finding in head_solver.check.run(spec)] == [True] * (not signal)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("engine.noise_schedule", EdmSchedule(name="edm", sigma_min=2.0, sigma_max=2.0), "sigma cannot go"),
        ("engine.noise_schedule", EdmSchedule(name="edm", sigma_min=1.0, sigma_max=2.0), ""),
        ("conditioning.guidance.schedule", IntervalGuidance(name="interval", low=0.5, high=0.5), "no t lies between"),
        ("conditioning.guidance.schedule", IntervalGuidance(name="interval", low=0.4, high=0.5), ""),
        (
            "conditioning.guidance.schedule",
            LinearGuidance(name="linear", start=0.0, end=0.0),
            "nothing would be guided",
        ),
        ("conditioning.guidance.schedule", LinearGuidance(name="linear", start=0.0, end=1.0), ""),
    ],
)
def test_a_schedule_goes_somewhere(path, value, said):
    messages = [finding.message for finding in bad_value.check.run(changed(example("digits-diffusion"), path, value))]
    assert len(messages) == bool(said)
    assert all(said in message for message in messages)


@pytest.mark.parametrize("solver", sorted(SOLVERS))
def test_a_tolerance_is_for_who_chooses_his_steps(solver):
    spec = changed(changed(example("digits-diffusion"), "sampling.solver", solver), "sampling.tolerance", 0.1)
    assert bool(solver_unknown.check.run(spec)) == (not SOLVERS[solver].adaptive)
    # To such a solver the budget is a cap, which may be more than the schedule has steps.
    capped = changed(changed(spec, "sampling.NFE", 400), "engine.noise_schedule.train_steps", 10)
    assert bool(nfe_not_reachable.check.run(capped)) == (not SOLVERS[solver].adaptive)


@pytest.mark.parametrize("head", ["eps", "x0", "v"])
def test_zero_terminal_snr_leaves_nothing_to_eps(head):
    schedule = CosineSchedule(name="cosine", train_steps=1000, zero_terminal_snr=True)
    spec = changed(changed(example("digits-diffusion"), "objective.head", head), "engine.noise_schedule", schedule)
    assert bool(head_solver.check.run(spec)) == (head == "eps")


@given(
    st.integers(1, 200),
    st.sampled_from([name for name, law in SOLVERS.items() if not law.adaptive]),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_a_nfe_suggested_under_an_interval_of_guidance_is_reachable(budget, solver, low, high):
    way = IntervalGuidance(name="interval", low=min(low, high), high=max(low, high))
    spec = changed(example("digits-diffusion"), "conditioning.guidance.schedule", way)
    spec = changed(changed(spec, "sampling.NFE", budget), "sampling.solver", solver)
    for finding in nfe_not_reachable.check.run(spec):
        offered = [int(number) for number in re.findall(r"\d+", finding.help)]
        assert offered
        for number in offered:
            assert not nfe_not_reachable.check.run(changed(spec, "sampling.NFE", number))


@pytest.mark.parametrize("head", ["eps", "x0", "v"])
@pytest.mark.parametrize("steps", [10, 1000, 10**12])
def test_only_eps_is_refused_and_a_long_schedule_takes_no_time(head, steps):
    spec = changed(example("digits-diffusion"), "objective.head", head)
    schedule = LinearSchedule(name="linear", train_steps=steps, beta_end=0.5)
    spec = changed(spec, "engine.noise_schedule", schedule)
    assert bool(head_solver.check.run(spec)) == (head == "eps" and steps >= 1000)


@pytest.mark.parametrize("head", ["eps", "x0", "v"])
def test_every_head_goes_with_the_cosine_schedule(head):
    spec = changed(example("digits-diffusion"), "objective.head", head)
    assert not head_solver.check.run(
        changed(spec, "engine.noise_schedule", CosineSchedule(name="cosine", train_steps=50))
    )


def field(**values):
    return SRefField(**{"name": "f", "role": "content", "dtype": "float32"} | values)


@pytest.mark.parametrize(
    ("declared", "count"),
    [
        (field(), None),
        (field(range=(0, 1)), None),
        (field(range=(0, 16), resolution=1), 17),
        (field(range=(0, 1), resolution=0.1), 11),
        (field(dtype="uint8", range=(0, 255)), 256),
        (field(dtype="int8"), None),
        (field(dtype="bool"), 2),
        (field(dtype="categorical", enum=("a", "b", "c")), 3),
    ],
)
def test_levels(declared, count):
    assert levels(declared) == count


def cyclic(**exprs):
    fields = [field(name=name, role="derived", expr=expr) for name, expr in exprs.items()]
    sref = example("digits-diffusion").sref.model_copy(update={"fields": (field(name="x"), *fields)})
    return [finding.message for finding in derived_cycle.check.sref_check(sref)]


def test_cycles_are_found_once_and_shortest():
    assert cyclic(a="b + x", b="x", c="a * b") == []
    assert cyclic(a="a + x") == ["'a' is derived from itself: a -> a"]
    assert cyclic(a="b", b="c", c="a + b") == ["'a' is derived from itself: a -> b -> c -> a"]
    assert cyclic(d="a", a="b", b="a") == ["'a' is derived from itself: a -> b -> a"]


def test_two_circles_that_do_not_meet_are_two_and_what_leads_to_one_is_none():
    assert cyclic(a="b", b="a", c="a + d", d="c2", c2="d", e="c") == [
        "'a' is derived from itself: a -> b -> a",
        "'d' is derived from itself: d -> c2 -> d",
    ]


def test_a_circle_of_thousands_is_found_at_once_and_not_all_named():
    ring = {f"f{number}": f"f{(number + 1) % 3000}" for number in range(3000)}
    (message,) = cyclic(**ring)
    assert message.startswith("'f0' is derived from itself: f0 -> f1 -> ")
    assert message.endswith("f11 -> (2988 more) -> f0")
    assert cyclic(**{f"f{number}": f"f{number + 1}" for number in range(3000)}) == []


def test_every_measure_belongs_to_one_family():
    assert sorted(measure for measures in FAMILY_MEASURES.values() for measure in measures) == sorted(MEASURES)
    assert set(FAMILY_MEASURES) == set(get_args(engine.Family))


@pytest.mark.parametrize(
    ("word", "meant"), [("elboo", "elbo"), ("l-simple", "l_simple"), ("WGAN_GP", "wgan_gp"), ("FID", "")]
)
def test_slips_are_told_from_scores(word, meant):
    assert misspelt(word) == meant


def test_the_known_architectures_are_those_of_the_models():
    for family, union in (
        ("vae", engine.VaeArchitecture),
        ("gan", engine.GanArchitecture),
        ("flow", engine.FlowArchitecture),
        ("diffusion", engine.DiffusionArchitecture),
    ):
        tags = [get_args(branch)[1].tag for branch in get_args(get_args(union)[0])]
        assert tags == [*arch_unknown.KNOWN[family], "other"]


def test_signals_of_the_normative_examples_are_emitted():
    for path in EXAMPLES.glob("*/spec.yaml"):
        resolved = example(path.parent.name)
        stability = resolved.spec.stability
        watched = {monitor.signal for monitor in stability.monitors} | {stability.convergence.signal}
        assert watched <= set(signals_of(resolved.spec.engine.family))


def test_no_private_figure_counts_as_released():
    released = {name for name, signal in SIGNALS.items() if signal.released}
    assert released == {"step", "epoch", "lr", "beta", "grad_norm_released", "eps_spent", "votes_real"}


def test_fewest_records_of_an_attack_are_those_of_the_metric():
    from synthspec.metrics.membership import advantage

    assert advantage.LEAST == MEMBERSHIP_LEAST


@given(st.floats(0, 12), st.floats(0, 0.5))
def test_no_attack_has_a_larger_advantage_than_eps_and_delta_allow(eps, delta):
    most = mi_bound_inconsistent.advantage_bound(eps, delta)
    rates = [number / 20000 for number in range(20001)]
    reached = max(
        min(1.0, math.exp(eps) * rate + delta, 1 - math.exp(-eps) * (1 - delta - rate)) - rate for rate in rates
    )
    assert reached <= most + 1e-9
    assert reached >= most - 1e-3 * (1 + math.exp(eps) / 20)


def test_published_advantages():
    bound = mi_bound_inconsistent.advantage_bound
    assert bound(0.0, 0.0) == 0.0
    assert bound(1.0, 0.0) == pytest.approx(2 * 0.7310586 - 1, abs=1e-6)
    assert bound(1e6, 1e-5) == 1.0


@pytest.mark.parametrize("dtype", sorted(INTEGERS))
def test_what_an_integer_dtype_holds(dtype):
    import numpy as np

    assert irreversible_transform.held(dtype) == (np.iinfo(dtype).min, np.iinfo(dtype).max)


@pytest.mark.parametrize(
    "harmless", [{"mean_radius": "linear"}, {"diagnosis": "log"}, {"ghost": "log"}, {"rid": "log"}]
)
def test_a_transform_that_can_be_undone_hides_none_that_cannot(harmless):
    spec = example("cancer-dp-vae")
    fields = tuple(
        field.model_copy(update={"range": (1.0, 9.0)}) if field.name == "rid" else field for field in spec.sref.fields
    )
    spec = replace(spec, sref=spec.sref.model_copy(update={"fields": fields}))
    transform = {**harmless, "mean_smoothness": "log", "mean_area": "log"}
    found = irreversible_transform.check.run(changed(spec, "data.transform", transform))
    assert [finding.path[2] for finding in found] == ["mean_smoothness", "mean_area"]


def test_a_field_that_holds_its_range_hides_none_that_does_not():
    spec = example("cancer-dp-vae")
    fields = tuple(
        field.model_copy(update={"dtype": dtype, "range": limits})
        for field, (dtype, limits) in zip(
            spec.sref.fields,
            [
                ("int8", None),
                ("float32", (0.0, 1e9)),
                ("int8", (0.0, 127.0)),
                ("int8", (0.0, 128.0)),
                ("uint8", (-1.0, 1.0)),
            ],
            strict=False,
        )
    )
    found = list(irreversible_transform.casts(spec.sref.model_copy(update={"fields": fields})))
    assert [finding.at.path[1] for finding in found] == [3, 4]


def test_coverage_is_the_one_that_is_measured():
    from synthspec.metrics import covg

    assert covg.K == COVERAGE_NEIGHBOURS
    assert coverage_ceiling() == pytest.approx(covg.ceiling(10**6, 10**6), abs=1e-5)
    assert coverage_ceiling() == 0.96875


def test_figures_of_the_run_are_not_asked_for():
    from synthspec.metrics import METRICS

    assert not OF_THE_RUN & set(METRICS)
    constants = {term.metric for contract in CONTRACTS for term in contract.terms if not term.symbol}
    assert constants <= OF_THE_RUN


@pytest.mark.parametrize("modality", get_args(Modality))
def test_of_the_modalities_only_a_time_series_is_ordered_in_time(modality):
    from dataclasses import replace

    spec = example("digits-diffusion")
    spec = replace(spec, sref=spec.sref.model_copy(update={"modality": modality}))
    assert bool(random_split_on_time.check.run(spec)) == (modality == "timeseries")


@pytest.mark.parametrize(
    ("rounds", "critic", "releases", "wrong"),
    [
        (80, 5, 400, ""),
        (None, 5, 400, ""),
        (400, 1, 400, ""),
        (2000, 5, 400, "are not 400 releases"),
        (395, 5, 400, "are not 400 releases"),
        (81, 5, 400, "are not 400 releases"),
        (80, 5, 401, "are no whole number"),
        (None, 7, 400, "are no whole number"),
    ],
)
def test_every_update_of_the_critic_is_a_release(rounds, critic, releases, wrong):
    objective = WganGp(measure="wgan_gp", lambda_gp=10.0, critic_steps=critic)
    spec = changed(example("cancer-dp-vae"), "objective", objective)
    spec = changed(changed(spec, "training.steps", rounds), "privacy.steps", releases)
    messages = [finding.message for finding in critic_steps_uncounted.check.run(spec)]
    assert len(messages) == bool(wrong)
    assert all(wrong in message for message in messages)


@pytest.mark.parametrize(
    ("reference", "told"), [("train", "the train split"), ("val", "the val split"), (None, "not stated")]
)
def test_the_reference_that_was_found_is_named(reference, told):
    (finding,) = reference_not_test.check.run(changed(example("digits-diffusion"), "evaluation.reference", reference))
    assert finding.message == f"the reference of the evaluation is {told}"


@pytest.mark.parametrize("path", ["c40_511.recall_min", "c40_516.mi_max"])
def test_only_where_one_of_several_thresholds_would_do_is_it_said_so(path):
    findings = threshold_missing.check.run(changed(example("digits-diffusion"), f"contracts.{path}", None))
    assert findings
    for finding in findings:
        assert finding.help.startswith("write one of ") == (" or " in finding.message)


@pytest.mark.parametrize("dtype", get_args(Dtype))
@pytest.mark.parametrize("interface", get_args(Variable.model_fields["interface"].annotation))
def test_an_interface_takes_the_dtypes_that_it_can_show(interface, dtype):
    spec = example("digits-diffusion")
    fields = tuple(
        field.model_copy(update={"dtype": dtype, "enum": None}) if field.name == "digit" else field
        for field in spec.sref.fields
    )
    spec = replace(spec, sref=spec.sref.model_copy(update={"fields": fields}))
    spec = changed(spec, "conditioning.variables.digit.interface", interface)
    taken = {
        "categorical": {"categorical", "bool"} | INTEGERS,
        "continuous": {*INTEGERS, "float16", "float32", "float64"},
        "text": {"string"},
        "mask": {"bool"},
    }
    assert (not condition_not_in_sref.check.run(spec)) == (dtype in taken[interface])
