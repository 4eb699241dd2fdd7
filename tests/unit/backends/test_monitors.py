import json
import math

import pytest

from synthspec.ir.families import Convergence, Monitor, Rollback, Stability
from synthspec_torch.support import monitor_reasons
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.monitors import FIRES, LEAST_FIRES, NO_WAY_BACK, NOT_FINITE, Patience, Watch

BACK = Rollback(to="last", max_rollbacks=2)


def watch(*monitors, steps=0, back=BACK):
    return Watch.of(Stability(monitors=tuple(monitors), rollback=back), steps)


def monitor(trip, action="rollback", window=1, signal="grad_norm", **more):
    return Monitor(signal=signal, trip=trip, window=window, action=action, **more)


def fired(watcher, values, signal="grad_norm"):
    return [step for step, value in enumerate(values) if watcher.observe(step, {signal: value})]


def test_a_window_counts_observations_in_a_row():
    values = [9, 9, 1, 9, 9, 9, 9, 9, 9]
    assert fired(watch(monitor("grad_norm > 5", window=3)), values) == [5, 8]


def test_observations_of_other_signals_do_not_break_a_row():
    watcher = watch(monitor("grad_norm > 5", window=2))
    assert watcher.observe(1, {"grad_norm": 9.0}) is None
    assert watcher.observe(2, {"loss_val": 1.0}) is None
    assert watcher.observe(3, {"grad_norm": 9.0}).action == "rollback"


def test_a_trip_may_look_back():
    watcher = watch(monitor("loss_val > 2 * best(loss_val)", "stop", signal="loss_val"))
    assert fired(watcher, [4.0, 1.0, 1.9, 2.1], "loss_val") == [3]


def test_the_most_severe_acts_and_the_others_stay_tripped():
    watcher = watch(
        monitor("grad_norm > 5", "scale_lr"), monitor("grad_norm > 5", "stop"), monitor("grad_norm > 1", "skip")
    )
    assert watcher.observe(1, {"grad_norm": 9.0}).action == "stop"
    assert watcher.observe(2, {"grad_norm": 2.0}).action == "skip"


def test_an_event_says_what_and_when():
    event = watch(monitor("grad_norm > 5", "skip")).observe(4, {"grad_norm": 9.5})
    assert (event.step, event.signal, event.value, event.action, event.detail) == (
        4, "grad_norm", 9.5, "skip", "grad_norm > 5",
    )  # fmt: skip


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_calls_for_a_rollback_unless_a_monitor_answers(value):
    event = watch(monitor("grad_norm > 5", window=20)).observe(1, {"grad_norm": value})
    assert (event.action, event.value, event.detail) == ("rollback", 0.0, NOT_FINITE)
    answered = watch(monitor("isnull(grad_norm)", "skip")).observe(1, {"grad_norm": value})
    assert (answered.action, answered.value) == ("skip", 0.0)


def test_a_rollback_starts_the_counts_of_all_monitors_again():
    watcher = watch(monitor("grad_norm > 5", window=3), monitor("loss > 5", "rollback", signal="loss"))
    high = {"grad_norm": 9.0}
    seen = [watcher.observe(step, {**high, "loss": 9.0 if step == 2 else 1.0}) for step in range(1, 6)]
    assert [event and event.signal for event in seen] == [None, "loss", None, None, "grad_norm"]


def test_a_rollback_more_than_allowed_is_a_stop():
    watcher = watch(monitor("grad_norm > 5"))
    events = [watcher.observe(step, {"grad_norm": 9.0}) for step in (1, 2, 3)]
    assert [event.action for event in events] == ["rollback", "rollback", "stop"]
    assert events[2].detail == "grad_norm > 5; no rollback is left of 2"
    assert watch(monitor("loss > 1"), back=None).observe(1, {"loss": math.nan}).action == "stop"


def test_after_a_firing_a_monitor_rests_for_its_cooldown():
    high = [9.0] * 9
    assert fired(watch(monitor("grad_norm > 5", "skip", cooldown=3)), high) == [0, 4, 8]
    assert fired(watch(monitor("grad_norm > 5", "skip", window=2, cooldown=2)), high) == [1, 5]
    watcher = watch(monitor("grad_norm > 5", "skip", cooldown=1))
    steps = [{"grad_norm": 9.0}, {"loss": 1.0}, {"grad_norm": 9.0}, {"grad_norm": 9.0}]
    assert [bool(watcher.observe(step, signals)) for step, signals in enumerate(steps)] == [True, False, False, True]


def test_when_its_fires_are_spent_another_action_takes_over():
    watcher = watch(monitor("grad_norm > 5", "scale_lr", max_fires=2, then="rollback"))
    events = [watcher.observe(step, {"grad_norm": 9.0}) for step in range(5)]
    assert [event.action for event in events] == ["scale_lr", "scale_lr", "rollback", "rollback", "stop"]
    assert events[2].detail == "grad_norm > 5; fired 2 times before"


@pytest.mark.parametrize("action", ["skip", "scale_lr", "raise_free_bits", "rollback"])
@pytest.mark.parametrize("steps", [10, 100 * LEAST_FIRES + 300])
def test_no_answer_is_given_without_end(action, steps):
    watcher = watch(monitor("grad_norm > 5", action), steps=steps, back=Rollback(to="last", max_rollbacks=999))
    events = [watcher.observe(step, {"grad_norm": 9.0}).action for step in range(60)]
    assert events.index("stop") == max(LEAST_FIRES, FIRES * steps)


def test_the_severity_is_of_what_a_monitor_calls_for_now():
    watcher = watch(monitor("loss > 5", "skip", signal="loss", max_fires=1), monitor("grad_norm > 5", "scale_lr"))
    both = {"loss": 9.0, "grad_norm": 9.0}
    assert watcher.observe(1, {"loss": 9.0}).action == "skip"
    assert watcher.observe(2, both).action == "stop"


def test_a_log_replays_to_the_same_decisions(tmp_path):
    stability = Stability(
        monitors=(monitor("grad_norm > 2 * mean(grad_norm)", window=2), monitor("loss > 0.3", "skip", 2, "loss"))
    )
    stream = [{"grad_norm": 0.1 * (k % 7) ** 2 + 1 / 3, "loss": (k % 5) / 9} for k in range(60)]
    stream[30]["grad_norm"] = math.inf
    live = Watch.of(stability)
    with SignalLog(tmp_path / "log.jsonl") as log:
        events = []
        for step, signals in enumerate(stream):
            log.write(step, 0, signals)
            events.append(live.observe(step, signals))
    assert sum(event is not None for event in events) > 3
    assert any(NO_WAY_BACK in event.detail for event in events if event)
    again = Watch.of(stability)
    for line, event in zip((tmp_path / "log.jsonl").read_text().splitlines(), events, strict=True):
        logged = json.loads(line)
        signals = {name: math.nan if value is None else value for name, value in logged["signals"].items()}
        assert again.observe(logged["step"], signals) == event


def test_patience_waits_for_an_improvement():
    patience = Patience(Convergence(signal="loss_val", patience=2, min_delta=0.1))
    assert [patience.observe({"loss_val": v}) for v in (1.0, 0.95, 0.85, 0.8, 0.76)] == [
        False,
        False,
        False,
        False,
        True,
    ]


def test_patience_knows_which_way_is_better():
    patience = Patience(Convergence(signal="elbo_val", patience=1, min_delta=0.0))
    assert [patience.observe({"elbo_val": v}) for v in (-9.0, -8.0, -8.5)] == [False, False, True]


def test_patience_ignores_other_signals_and_runs_to_a_limit():
    assert not Patience(Convergence(signal="loss_val", patience=1)).observe({"loss": 1.0})
    assert not Patience(Convergence(signal="step", max="budget")).observe({"step": 1e9})
    assert not Patience(None).observe({"loss": 1.0})
    limit = Patience(Convergence(signal="step", max=3.0))
    assert [limit.observe({"step": float(s)}) for s in (1, 2, 3)] == [False, False, True]


def test_monitors_that_cannot_be_kept_are_refused():
    stability = Stability(
        monitors=(
            monitor("loss_val > 1", "skip", signal="loss_val"),
            monitor("grad_norm > 1", "raise_free_bits"),
            monitor("kl > 1", signal="kl"),
        ),
        convergence=Convergence(signal="ema_gap", patience=3),
    )
    reasons = " / ".join(monitor_reasons(stability, frozenset({"loss_val"})))
    for said in ("'kl' is not emitted", "'ema_gap' is not emitted", "raise_free_bits", "none left to skip"):
        assert said in reasons
    assert not list(monitor_reasons(Stability(monitors=(monitor("grad_norm > 1"),)), frozenset()))
