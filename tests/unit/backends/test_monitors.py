import json
import math

import pytest

from synthspec.ir.families import Convergence, Monitor, Stability
from synthspec_torch.support import monitor_reasons
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.monitors import NOT_FINITE, Patience, Watch


def watch(*monitors):
    return Watch.of(Stability(monitors=tuple(monitors)))


def monitor(trip, action="rollback", window=1, signal="grad_norm"):
    return Monitor(signal=signal, trip=trip, window=window, action=action)


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


def test_forgiving_starts_the_counts_again():
    watcher = watch(monitor("grad_norm > 5", window=2))
    watcher.observe(1, {"grad_norm": 9.0})
    watcher.forgive()
    assert watcher.observe(2, {"grad_norm": 9.0}) is None


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
