"""The loop on a line through two points: quick, and every action of a monitor can be provoked."""

import json
import math

import pytest
import torch
from torch import nn

from synthspec.backend.protocol import DataError
from synthspec.ir.families import Convergence, Monitor, Optimizer, Rollback, Stability, Training
from synthspec_torch.training.learner import Learner
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.loop import Course, train
from synthspec_torch.training.optimizer import FLOOR, build_optimizer, rate
from synthspec_torch.training.seeding import batches, initial_weights, intra_op_threads, torch_generator


class Line(Learner):
    """Fits w to 1; `poison` replaces the loss at some steps, `spoil` the validation."""

    criterion = "loss_val"
    network = None

    def __init__(self, poison=None, spoil=None):
        self.network = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.network.weight)
        self.poison, self.spoil = poison or {}, spoil or {}
        self.step, self.seen, self.validations, self.averages, self.shown = 0, [], 0, [], []

    def loss(self, rows):
        self.step += 1
        assert self.network.training
        self.shown.append((1 + rows.double()).square().mean().item())
        self.seen.append(self.network.weight.item())
        x = 1 + rows.float().view(-1, 1)
        return ((self.network(x) - x) ** 2).mean() * self.poison.get(self.step, 1.0)

    def validate(self, network):
        self.validations += 1
        assert not network.training
        self.averages.append(network.weight.item())
        with torch.no_grad():
            value = (network.weight - 1).square().item()
        return {"loss_val": self.spoil.get(self.validations, value)}


class Silent:
    def start(self, label, total, unit):
        pass

    def advance(self, count=1, note=""):
        pass


def course(stability=None, records=6, **training):
    settings = {"optimizer": Optimizer(name="sgd", lr=0.02), "batch_size": 3, "epochs": 4, "seed": 1} | training
    return Course.of(Training(**settings), stability or Stability(), records)


def fitted(tmp_path, learner, chosen, name="log.jsonl"):
    with SignalLog(tmp_path / name) as log:
        return train(learner, chosen, log, Silent())


def lines(tmp_path):
    return [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]


def test_it_learns_within_the_budget_and_logs_every_step(tmp_path):
    learner = Line()
    trained = fitted(tmp_path, learner, course(epochs=30))
    assert trained.report.status == "budget"
    assert trained.report.steps == 60
    assert trained.report.parameters == 1
    assert trained.weights["weight"].item() == pytest.approx(1, abs=1e-3)
    steps = [line for line in lines(tmp_path) if "loss" in line["signals"]]
    assert [line["step"] for line in steps] == list(range(1, 61))
    assert [line["epoch"] for line in lines(tmp_path) if "loss_val" in line["signals"]] == list(range(1, 31))


def test_the_best_validation_is_kept(tmp_path):
    learner = Line(spoil={3: -1.0})
    trained = fitted(tmp_path, learner, course())
    assert trained.report.best_step == 6
    assert trained.weights["weight"].item() == learner.seen[6]


def test_equal_runs_write_equal_bytes(tmp_path):
    made = [fitted(tmp_path, Line(), course(), name) for name in ("a", "b")]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert torch.equal(made[0].weights["weight"], made[1].weights["weight"])
    fitted(tmp_path, Line(), course(seed=2), "c")
    assert (tmp_path / "c").read_bytes() != (tmp_path / "a").read_bytes()


def stability(action, trip="grad_norm > 1000", **more):
    return Stability(monitors=(Monitor(signal="grad_norm", trip=trip, action=action),), **more)


def test_skip_leaves_the_update_out(tmp_path):
    learner = Line(poison={3: 1e6})
    trained = fitted(tmp_path, learner, course(stability("skip")))
    assert learner.seen[3] == learner.seen[2]
    assert learner.seen[4] != learner.seen[3]
    assert [(e.step, e.action) for e in trained.report.events] == [(3, "skip"), (8, "budget")]


def test_scale_lr_shrinks_all_later_rates(tmp_path):
    chosen = stability("scale_lr", trip="step == 3", rollback=Rollback(to="best", lr_factor=0.1, max_rollbacks=0))
    fitted(tmp_path, Line(), course(chosen))
    rates = [line["signals"]["lr"] for line in lines(tmp_path) if "lr" in line["signals"]]
    plain = [0.02 * rate(step, 8) for step in range(1, 9)]
    assert rates == pytest.approx(plain[:3] + [0.1 * value for value in plain[3:]])


@pytest.mark.parametrize(
    ("to", "spoil", "back"), [("best", {2: 99.0}, 2), ("last", {2: 99.0}, 4), ("best", {3: -9.0}, 4)]
)
def test_rollback_restores_weights_and_goes_on_slower(tmp_path, to, spoil, back):
    learner = Line(poison={8: 1e6}, spoil=spoil)
    chosen = stability("rollback", rollback=Rollback(to=to, lr_factor=0.5, max_rollbacks=1))
    trained = fitted(tmp_path, learner, course(chosen, epochs=5))
    assert learner.seen[8] == learner.seen[back]
    event = trained.report.events[0]
    assert (event.step, event.action) == (8, "rollback")
    assert f"back to step {back}" in event.detail
    rates = {line["step"]: line["signals"]["lr"] for line in lines(tmp_path) if "lr" in line["signals"]}
    assert rates[9] == pytest.approx(0.5 * 0.02 * rate(9, 10))


def test_the_result_may_be_a_checkpoint_in_quarantine_but_no_rollback_goes_there(tmp_path):
    learner = Line(poison={7: 1e6}, spoil={3: -9.0, 4: 5.0})
    chosen = stability("rollback", rollback=Rollback(to="best", lr_factor=0.5, max_rollbacks=1))
    trained = fitted(tmp_path, learner, course(chosen))
    assert "back to step 4" in trained.report.events[0].detail
    assert trained.report.best_step == 6
    assert trained.weights["weight"].item() == learner.seen[6]


def test_before_anything_left_quarantine_a_rollback_goes_to_the_start(tmp_path):
    learner = Line(poison={3: 1e6})
    chosen = stability("rollback", rollback=Rollback(to="last", max_rollbacks=1))
    assert "back to step 0" in fitted(tmp_path, learner, course(chosen)).report.events[0].detail
    assert learner.seen[3] == learner.seen[0]


def test_rollback_restores_the_optimiser_and_the_average_too(tmp_path):
    """Momentum SGD with an average, by hand: step 6 goes back to what was kept after step 2, and on from there."""
    chosen = stability("rollback", rollback=Rollback(to="best", lr_factor=0.5, max_rollbacks=1))
    momentum = Optimizer(name="sgd", lr=0.02, momentum=0.9)
    learner = Line(poison={6: 1e6}, spoil={2: 99.0})
    trained = fitted(tmp_path, learner, course(chosen, optimizer=momentum, ema=0.8))
    weight = average = buffer = 0.0
    kept, seen, averages, updates, factor = None, [], [], 0, 1.0
    for step in range(1, 9):
        seen.append(weight)
        if step == 6:
            weight, average, buffer = kept
            factor = 0.5
        else:
            buffer = 0.9 * buffer + 2 * (weight - 1) * learner.shown[step - 1]
            weight -= 0.02 * factor * rate(step, 8) * buffer
            updates += 1
            average += (1 - min(0.8, (1 + updates) / (10 + updates))) * (weight - average)
        if step % 2 == 0:
            averages.append(average)
        if step == 2:
            kept = weight, average, buffer
    assert learner.seen == pytest.approx(seen, abs=1e-5)
    assert learner.averages == pytest.approx(averages, abs=1e-5)
    assert trained.weights["weight"].item() in [pytest.approx(value, abs=1e-5) for value in averages]


def test_rollback_forgives_the_other_monitors(tmp_path):
    monitors = (
        Monitor(signal="grad_norm", trip="grad_norm > 1000", action="rollback"),
        Monitor(signal="grad_norm", trip="grad_norm > 0", window=4, action="stop"),
    )
    chosen = Stability(monitors=monitors, rollback=Rollback(to="last", max_rollbacks=1))
    assert fitted(tmp_path, Line(poison={3: 1e6}), course(chosen)).report.steps == 7


def test_a_gradient_that_is_not_finite_is_never_applied(tmp_path):
    learner = Line(poison={3: math.inf})
    fitted(tmp_path, learner, course(stability("scale_lr")))
    assert learner.seen[3] == learner.seen[2]
    assert all(map(math.isfinite, learner.seen))


def test_without_a_rollback_left_a_monitor_stops(tmp_path):
    chosen = stability("rollback", rollback=Rollback(to="best", max_rollbacks=1))
    trained = fitted(tmp_path, Line(poison={3: 1e6, 5: 1e6}), course(chosen))
    assert trained.report.status == "stopped"
    assert [e.action for e in trained.report.events] == ["rollback", "stop", "stopped"]
    assert trained.report.steps == 5


def test_stop_keeps_the_best_weights_so_far(tmp_path):
    learner = Line(poison={5: 1e6})
    trained = fitted(tmp_path, learner, course(stability("stop")))
    assert (trained.report.status, trained.report.best_step) == ("stopped", 4)
    assert trained.weights["weight"].item() == learner.seen[4]


def test_what_is_not_finite_rolls_back_and_then_fails(tmp_path):
    once = Stability(rollback=Rollback(to="best", max_rollbacks=1))
    trained = fitted(tmp_path, Line(poison={3: math.nan}), course(once))
    assert trained.report.events[0].action == "rollback"
    assert math.isfinite(trained.weights["weight"].item())
    with pytest.raises(DataError, match="loss is not finite at step 5, after 1 rollbacks") as caught:
        fitted(tmp_path, Line(poison={3: math.nan, 5: math.inf}), course(once))
    assert caught.value.code == "P405-3.diverged"
    with pytest.raises(DataError):
        fitted(tmp_path, Line(poison={3: math.nan}), course())


def test_convergence_ends_the_training(tmp_path):
    rule = Stability(convergence=Convergence(signal="loss_val", patience=2, min_delta=0.0))
    trained = fitted(tmp_path, Line(spoil=dict.fromkeys(range(3, 99), 5.0)), course(rule, epochs=50))
    assert (trained.report.status, trained.report.steps, trained.report.best_step) == ("converged", 8, 4)


def test_gradients_are_clipped_after_they_are_logged(tmp_path):
    learner = Line()
    fitted(tmp_path, learner, course(grad_clip=1e-3, epochs=1))
    first = lines(tmp_path)[0]["signals"]
    assert first["grad_norm"] > 1
    assert abs(learner.seen[1] - learner.seen[0]) == pytest.approx(first["lr"] * 1e-3, rel=1e-3)


def test_batches_cover_every_row_once_an_epoch():
    made = list(batches(10, 4, 7, seed=3))
    assert [len(batch.rows) for batch in made] == [4, 4, 2, 4, 4, 2, 4]
    assert [batch.ends_epoch for batch in made] == [False, False, True, False, False, True, True]
    assert sorted(torch.cat([batch.rows for batch in made[:3]]).tolist()) == list(range(10))
    assert not torch.equal(made[0].rows, made[3].rows)
    assert all(torch.equal(a.rows, b.rows) for a, b in zip(made, batches(10, 4, 7, seed=3), strict=True))


def test_the_budget_is_steps_or_epochs():
    assert course(records=7).steps == 4 * 3
    assert course(epochs=None, steps=5).steps == 5
    for wrong in ({"seed": None}, {"batch_size": None}, {"epochs": None}):
        with pytest.raises(ValueError, match="training needs"):
            course(**wrong)


def test_the_rate_rises_and_falls():
    values = [rate(step, 200) for step in range(1, 201)]
    assert values[9] == max(values) == 1.0
    assert values[-1] == pytest.approx(FLOOR)
    assert values[10:] == sorted(values[10:], reverse=True)
    assert [rate(step, 1) for step in (1,)] == [1.0]


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_every_optimiser_takes_a_step(name):
    weight = nn.Parameter(torch.ones(3))
    optimizer = build_optimizer(Optimizer(name=name, lr=0.1), [weight])
    weight.sum().backward()
    optimizer.step()
    assert weight.max() < 1
    decay = optimizer.param_groups[0]["weight_decay"]
    assert decay == (0.01 if name == "adamw" else 0.0)


def test_randomness_is_apart_from_the_global_generator():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    with initial_weights(3):
        first = torch.rand(2)
    assert torch.equal(torch.get_rng_state(), before)
    with initial_weights(3):
        assert torch.equal(torch.rand(2), first)
    from synthspec.backend.draws import Stream

    draws = {torch.rand(1, generator=torch_generator(3, stream)).item() for stream in (Stream.ORDER, Stream.TRAIN)}
    assert len(draws) == 2


def test_threads_are_put_back():
    before = torch.get_num_threads()
    with intra_op_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


class Climb(Line):
    """A line whose validation is better the higher; it settles after some steps and answers `raise_free_bits`."""

    criterion = "elbo_val"

    def __init__(self, values, settled_at=0):
        super().__init__()
        self.values, self.settled_at, self.raised = values, settled_at, 0

    @property
    def settled(self):
        return self.step >= self.settled_at

    def observed(self):
        return {"kl": float(self.step)}

    def validate(self, network):
        super().validate(network)
        return {"elbo_val": self.values[self.validations - 1]}

    def raise_free_bits(self):
        self.raised += 1
        return "more"


def test_more_is_better_where_the_table_of_signals_says_so(tmp_path):
    trained = fitted(tmp_path, Climb([-5.0, -1.0, -3.0, -2.0]), course())
    assert trained.report.best_step == 4
    assert dict(trained.report.facts)["best_elbo_val"] == -1.0


def test_nothing_is_picked_or_converged_while_the_objective_changes(tmp_path):
    patient = Stability(convergence=Convergence(signal="elbo_val", patience=2))
    learner = Climb([-1.0, -2.0, -3.0, -2.5, -2.7, -2.8, -9.0], settled_at=6)
    trained = fitted(tmp_path, learner, course(patient, epochs=7))
    assert (trained.report.status, trained.report.steps, trained.report.best_step) == ("converged", 12, 8)
    never = fitted(tmp_path, Climb([-1.0, -2.0], settled_at=99), course(patient, epochs=2))
    assert (never.report.best_step, dict(never.report.facts)["best_elbo_val"]) == (4, -2.0)


def test_a_rollback_before_anything_is_picked_goes_to_the_last_checkpoint(tmp_path):
    late = Stability(
        monitors=(Monitor(signal="kl", trip="kl == 5", action="rollback"),),
        rollback=Rollback(to="best", max_rollbacks=1),
    )
    trained = fitted(tmp_path, Climb([-1.0] * 4, settled_at=8), course(late))
    assert trained.report.events[0].detail == "kl == 5; back to step 2"


def test_the_first_epoch_is_kept_to_count_a_gain_from(tmp_path):
    learner = Climb([-4.0, -3.0, -2.0, -1.0])
    trained = fitted(tmp_path, learner, course())
    assert trained.first["weight"].item() == learner.averages[0]
    assert trained.weights["weight"].item() == learner.averages[3]


def test_signals_of_the_batch_are_logged_and_free_bits_are_raised_without_a_lost_step(tmp_path):
    monitors = Stability(monitors=(Monitor(signal="kl", trip="kl == 3", action="raise_free_bits"),))
    learner = Climb([-4.0, -3.0, -2.0, -1.0])
    trained = fitted(tmp_path, learner, course(monitors))
    event = trained.report.events[0]
    assert (learner.raised, event.step, event.action, event.detail) == (1, 3, "raise_free_bits", "kl == 3; more")
    assert [line["signals"]["kl"] for line in lines(tmp_path) if "kl" in line["signals"]] == list(range(1, 9))
    assert len(set(learner.seen)) == 8
