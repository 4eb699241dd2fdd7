"""Students of a diffusion engine: the laws of each method, and what the op leaves behind."""

import inspect
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from synthspec.backend.artifacts import FIT_REPORT, SAMPLE_REPORT, FitReport, SampleReport, read_report
from synthspec.ir.families import (
    Compile,
    CosineSchedule,
    Distill,
    EdmSchedule,
    FlowMatchingSchedule,
    LSimple,
    Quantize,
)
from synthspec.ir.ops import Accelerate
from synthspec.ir.solvers import SolverPlan
from synthspec_diffusers import kernels
from synthspec_diffusers.acceleration.distilling import halvings
from synthspec_diffusers.acceleration.learners import Consistency, Progressive, StudentLearner, TeacherStudent
from synthspec_diffusers.acceleration.steps import (
    Coefficients,
    ddim,
    pseudo_huber,
    student_estimate,
    teacher_steps,
    wanted,
)
from synthspec_diffusers.acceleration.teacher import Lesson
from synthspec_diffusers.path import Path
from synthspec_diffusers.plugin import BACKEND
from synthspec_diffusers.schedule import even_grid
from synthspec_torch.weights import read_state, save_weights

COSINE = CosineSchedule(name="cosine", train_steps=1000)
SCHEDULES = {
    "v": COSINE,
    "eps": COSINE,
    "edm": EdmSchedule(name="edm"),
    "flow": FlowMatchingSchedule(name="flow_matching"),
}


class Gaussian(nn.Module):
    """The exact v head of x_0 ~ N(mean, spread^2), each number on its own."""

    def __init__(self, schedule, mean=0.3, spread=0.4):
        super().__init__()
        grid = even_grid(schedule, 1000)
        self.by_time = {int(t): (float(a), float(s)) for t, a, s in zip(grid.times, grid.a, grid.s, strict=False)}
        self.mean, self.spread = mean, spread

    def forward(self, x, times, given):
        del given
        a, s = (torch.tensor([self.by_time[int(t)][i] for t in times]).view(-1, 1) for i in (0, 1))
        keep = a * self.spread**2 / (a**2 * self.spread**2 + s**2)
        x0 = self.mean + keep * (x - a * self.mean)
        return (a * x - x0) / s


class Wrong(nn.Module):
    """A network whose output is of no account."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(3.0))

    def forward(self, x, times, given):
        del times, given
        return self.weight * torch.sin(x) + 1.0


def path(schedule, steps, head="v"):
    return Path(even_grid(schedule, steps), "ddim", head, 0.0, None, None, 0.5)


@pytest.mark.parametrize("head", SCHEDULES)
def test_at_the_clean_level_a_student_says_the_record_itself(head):
    """f(x, eps) = x to the bit, whatever the network says."""
    own = path(SCHEDULES[head], 4, head)
    x, clean = torch.randn(5, 3), torch.full((5,), 4)
    assert torch.equal(student_estimate(Wrong(), own, Coefficients.of(own.grid), x, clean, None), x)


def test_there_is_no_student_without_a_method():
    assert inspect.isabstract(StudentLearner)
    assert not any(map(inspect.isabstract, (TeacherStudent, Progressive, Consistency)))


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("schedule", [COSINE, EdmSchedule(name="edm"), FlowMatchingSchedule(name="flow_matching")])
def test_every_second_level_is_the_grid_of_half_as_many_steps(schedule, steps):
    half, whole = even_grid(schedule, steps), even_grid(schedule, 2 * steps)
    np.testing.assert_allclose(half.s, whole.s[::2], atol=1e-12)
    np.testing.assert_allclose(half.a, whole.a[::2], atol=1e-12)
    assert half.times == pytest.approx(whole.times[::2])


def test_a_progressive_student_of_an_exact_gaussian_does_in_one_step_what_its_teacher_does_in_two():
    schedule = COSINE
    student, taught = path(schedule, 5), path(schedule, 10)
    marks = Coefficients.of(student.grid)
    x, levels = torch.randn(40, 2), torch.arange(40) % 5
    network = Gaussian(schedule)
    landed = teacher_steps(network, taught, x, 2 * levels, None, 2)
    m = wanted(marks, x, landed, levels, levels + 1)
    assert torch.allclose(ddim(marks, x, m, levels, levels + 1), landed, atol=2e-5)
    # The two steps by hand, in float64 and by the closed form of the teacher.
    for row in range(40):
        state = x[row].double().numpy()
        for step in (2 * int(levels[row]), 2 * int(levels[row]) + 1):
            a, s, a1, s1 = (float(v) for v in (*_at(taught, step), *_at(taught, step + 1)))
            keep = a * 0.16 / (a * a * 0.16 + s * s)
            x0 = 0.3 + keep * (state - a * 0.3)
            state = a1 * x0 + s1 / s * (state - a * x0)
        np.testing.assert_allclose(landed[row].numpy(), state, atol=2e-4)


def _at(way, step):
    return way.grid.a[step], way.grid.s[step]


def test_the_huber_constant_grows_with_the_root_of_the_size():
    small, large = (pseudo_huber(torch.zeros(1, d) + 1e-9).item() for d in (4, 4096))
    assert small == pytest.approx(0.0, abs=1e-6)
    assert large == pytest.approx(0.0, abs=1e-6)
    error = torch.full((1, 100), 0.01)
    c = 0.00054 * 10
    assert pseudo_huber(error).item() == pytest.approx((0.01 + c * c) ** 0.5 - c, rel=1e-4)


def test_no_gradient_reaches_the_target_of_a_consistency_model_and_it_trails_the_student():
    network, own = Wrong(), path(COSINE, 4)
    lesson = Lesson(torch.randn(8, 3), None, torch.empty(4, 8, 3))
    learner = Consistency(network, own, lesson, lesson, 1, (Gaussian(COSINE), own))
    learner.loss(torch.arange(8)).backward()
    target = learner.target.network.weight
    assert not target.requires_grad
    assert target.grad is None
    assert network.weight.grad is not None
    before = target.item()
    with torch.no_grad():
        network.weight.add_(1.0)
    learner.loss(torch.arange(8))
    assert before < target.item() < network.weight.item()


@pytest.mark.parametrize(("steps", "target", "counts"), [(20, 4, (8, 4)), (8, 4, (4,)), (32, 1, (16, 8, 4, 2, 1))])
def test_a_progressive_student_halves_its_steps_until_it_has_as_many_as_asked_for(steps, target, counts):
    assert halvings(steps, target) == counts


@pytest.fixture
def trained(run, fit_op, inputs, tmp_path):
    """The smallest engine, untrained: its weights depend on nothing here."""
    content, given = (
        kernels.fitted_content(fit_op, kernels.rows_of(inputs, "train")),
        kernels.given_of(fit_op, kernels.rows_of(inputs, "train")),
    )
    torch.manual_seed(0)
    network = kernels.build_network(fit_op, content, given)
    folder = tmp_path / "engine"
    save_weights(folder / kernels.WEIGHTS, {**network.state_dict(), kernels.SIGMA_DATA: torch.tensor([0.5]).double()})
    (folder / FIT_REPORT).write_text(json.dumps({"status": "budget", "steps": 1, "best_step": 1, "parameters": 9}))
    from synthspec.backend.protocol import Artifact

    return inputs | {"engine": Artifact(folder, (kernels.WEIGHTS, FIT_REPORT))}


def accelerate(sample_op, how, **changed):
    parts = {"solver": sample_op.solver, "w_cfg": sample_op.w_cfg, "variables": sample_op.variables}
    return Accelerate(fit=sample_op.fit, how=how, **(parts | changed))


@pytest.mark.parametrize("nfe", [1, 2])
@pytest.mark.parametrize("method", ["teacher_student", "progressive", "consistency"])
def test_a_student_makes_as_many_calls_as_it_was_taught_and_none_for_guidance(run, trained, sample_op, method, nfe):
    how = Distill(kind="distill", method=method, NFE=nfe, steps=2)
    made = run(kernels.KERNELS["accelerate"], accelerate(sample_op, how), trained, "student")
    assert set(made.files) == {kernels.WEIGHTS, FIT_REPORT, "distillation.jsonl"}
    name = "consistency" if method == "consistency" else "ddim"
    drawn = replace(sample_op, made_by=(how,), solver=SolverPlan(name=name, steps=nfe, NFE=nfe), w_cfg=0.0)
    assert BACKEND.supports(drawn) == ()
    report = read_report(
        run(kernels.KERNELS["sample"], drawn, trained | {"engine": made}, "out").path(SAMPLE_REPORT), SampleReport
    )
    assert (report.net_calls, report.net_evals_per_sample, report.cfg_evals) == (nfe, nfe, 0)


def test_the_same_distillation_gives_the_same_bytes_and_learns_of_the_guidance(run, trained, sample_op):
    how = Distill(kind="distill", method="teacher_student", NFE=2, steps=3)
    one, again, plain = (
        run(kernels.KERNELS["accelerate"], accelerate(sample_op, how, w_cfg=w), trained, name).path(kernels.WEIGHTS)
        for name, w in (("one", 0.5), ("again", 0.5), ("plain", 0.0))
    )
    assert one.read_bytes() == again.read_bytes()
    assert one.read_bytes() != plain.read_bytes()


@pytest.mark.parametrize("dtype", ["int8", "bf16"])
def test_a_quantised_engine_is_a_smaller_file_of_nearly_the_same_numbers(run, trained, sample_op, dtype):
    how = Quantize(kind="quantize", dtype=dtype)
    made = run(kernels.KERNELS["accelerate"], accelerate(sample_op, how), trained, "small")
    before, after = trained["engine"].path(kernels.WEIGHTS), made.path(kernels.WEIGHTS)
    assert after.stat().st_size < before.stat().st_size * (0.75 if dtype == "bf16" else 0.6)
    stored = {tensor.dtype for tensor in read_state(after).values()}
    assert (torch.int8 if dtype == "int8" else torch.bfloat16) in stored
    facts = dict(read_report(made.path(FIT_REPORT), FitReport).facts)
    assert 0 < facts["largest_error"] < 1 / 250
    drawn = replace(sample_op, made_by=(how,))
    out = run(kernels.KERNELS["sample"], drawn, trained | {"engine": made}, "out")
    assert read_report(out.path(SAMPLE_REPORT), SampleReport).net_evals_per_sample == 8


@pytest.mark.parametrize(
    ("how", "changed", "said"),
    [
        (Compile(kind="compile"), {}, "no plan can pin their bytes"),
        (Distill(kind="distill", method="progressive", NFE=3), {}, "at least 6 steps"),
        (Distill(kind="distill", method="consistency", NFE=5), {}, "at least 5 steps"),
        (Distill(kind="distill", method="consistency", NFE=2, solver="ddim"), {}, "sampled by consistency"),
        (Distill(kind="distill", method="teacher_student", NFE=2, data="train"), {}, "data: synthetic"),
        (Quantize(kind="quantize", dtype="int8"), {"after": (Quantize(kind="quantize", dtype="bf16"),)}, "already"),
        (
            Distill(kind="distill", method="consistency", NFE=2),
            {"after": (Distill(kind="distill", method="consistency", NFE=3),)},
            "no teacher",
        ),
    ],
)
def test_what_cannot_be_accelerated_is_refused_by_name(sample_op, how, changed, said):
    reasons = BACKEND.supports(accelerate(sample_op, how, **changed))
    assert any(said in reason for reason in reasons)


def test_a_consistency_model_needs_a_head_with_the_boundary(sample_op):
    plain = replace(sample_op, fit=replace(sample_op.fit, objective=LSimple(measure="l_simple", head="x0")))
    how = Distill(kind="distill", method="consistency", NFE=2)
    assert any("head x0" in reason for reason in BACKEND.supports(accelerate(plain, how)))


def test_a_student_is_sampled_as_it_was_taught_or_not_at_all(sample_op):
    how = Distill(kind="distill", method="progressive", NFE=2)
    student = replace(sample_op, made_by=(how,), solver=SolverPlan(name="ddim", steps=2, NFE=2), w_cfg=0.0)
    assert BACKEND.supports(student) == ()
    assert BACKEND.supports(replace(student, solver=SolverPlan(name="ddim", steps=4, NFE=4)))
    guided = replace(student, w_cfg=0.5, solver=SolverPlan(name="ddim", steps=2, NFE=4))
    assert any("guidance is part of a student" in reason for reason in BACKEND.supports(guided))
    alone = replace(sample_op, solver=SolverPlan(name="consistency", steps=2, NFE=2), w_cfg=0.0)
    assert any("only a consistency student" in reason for reason in BACKEND.supports(alone))
