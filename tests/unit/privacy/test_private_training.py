"""The private training loop: equal to a plain one without noise and clip, silent about its data, and honest about its steps."""

from __future__ import annotations

import json
import math

import pytest
import torch

from synthspec.accounting import Composed, PoissonGaussian, eps_total
from synthspec.backend.protocol import DataError
from synthspec.ir.families import Convergence, Monitor, Optimizer, Stability, Training
from synthspec_torch.privacy.bookkeeping import BookKeeping
from synthspec_torch.privacy.fitting import fit_privately
from synthspec_torch.privacy.stream import Keystream, RecordDraws
from synthspec_torch.privacy.training import train_privately
from synthspec_torch.training.log import SignalLog
from synthspec_torch.training.optimizer import build_optimizer, rate, set_rate

SGD = Optimizer(name="sgd", lr=2e-3, momentum=0.5)


class Silent:
    def start(self, label, total, unit):
        self.total = total

    def advance(self, count=1, note=""):
        assert note == ""


def plain(kit, learner, made):
    """The same training without a mechanism: the mean loss of all records, one backward pass, the same draws."""
    optimizer = build_optimizer(made.training.optimizer, learner.network.parameters())
    stream, rows = Keystream(kit.SECRET.key("draws")), torch.arange(made.records)
    for step in range(1, made.steps + 1):
        lr = made.training.optimizer.lr * rate(step, made.steps)
        learner.network.eval()
        losses = learner.record_losses(learner.drawn(rows, RecordDraws(stream, step, rows)))
        (losses.sum() / made.normalizer).backward()
        set_rate(optimizer, lr)
        optimizer.step()
        optimizer.zero_grad()
        learner.released(step, lr)
    return [weight.detach() for weight in (*learner.network.parameters(), *learner.kept.parameters())]


def without_protection(kit, records):
    return kit.course(
        len(records), Training(optimizer=SGD, seed=1), steps=4, sampling={"scheme": "poisson", "rate": 1.0},
        clip={"norm": math.inf, "per": "record", "scope": "flat"}, noise={"multiplier": 0.0}, normalizer=float(len(records)),
    )  # fmt: skip


def test_without_noise_and_clip_every_engine_is_its_plain_training(kit, engine, records):
    made = without_protection(kit, records)
    private, other = engine.of(records), engine.of(records)
    begun = kit.run(private, made)
    for step in range(1, made.steps + 1):
        begun.advance(step)
    wanted = plain(kit, other, made)
    found = [*private.network.parameters(), *private.kept.parameters()]
    for a, b in zip(found, wanted, strict=True):
        assert torch.allclose(a, b, rtol=1e-5, atol=1e-6)


def test_the_loss_of_a_flow_is_the_mean_of_its_records(kit, records):
    learner = next(each for each in kit.ENGINES if each.name == "flow-spline").of(records)
    rows, draws = torch.arange(24), learner._draws.get_state()
    mean = learner.loss(rows)
    learner._draws.set_state(draws)
    x = learner.cells.spread(learner.train.x, learner._draws)
    assert learner.record_losses((x, learner.train.c)).mean().item() == pytest.approx(mean.item(), rel=1e-6)


def test_the_loss_of_a_vae_is_the_mean_of_its_records(kit, records):
    learner = next(each for each in kit.ENGINES if each.name == "vae-mlp").of(records)
    learner.drop_rate = 0.0
    rows, draws = torch.arange(24), learner.draws.get_state()
    mean = learner.loss(rows)
    learner.draws.set_state(draws)
    eps = torch.randn((24, 3), generator=learner.draws)
    batch = (learner.train_records.x, learner.train_records.given, eps)
    assert learner.record_losses(batch).mean().item() == pytest.approx(mean.item(), rel=1e-6)


def small(kit, records):
    return next(each for each in kit.ENGINES if each.name == "vae-mlp").of(records)


def log_of(kit, records, path, secret=None, **changes):
    made = kit.course(len(records), **changes)
    with SignalLog(path) as log:
        trained, record = train_privately(small(kit, records), made, secret or kit.SECRET, log, Silent())
    return trained, record, [json.loads(line) for line in path.read_text().splitlines()]


def test_the_same_secret_gives_the_same_bytes_and_another_one_others(kit, records, tmp_path):
    from synthspec.backend.secret import Secret

    one, _, _ = log_of(kit, records, tmp_path / "a")
    again, _, _ = log_of(kit, records, tmp_path / "b")
    other, _, _ = log_of(kit, records, tmp_path / "c", Secret.fresh())
    assert all(torch.equal(one.weights[name], again.weights[name]) for name in one.weights)
    assert not all(torch.equal(one.weights[name], other.weights[name]) for name in one.weights)


def test_nothing_but_releases_is_logged(kit, records, tmp_path):
    _, _, lines = log_of(kit, records, tmp_path / "log")
    assert {name for line in lines for name in line["signals"]} == {"lr", "grad_norm_released", "beta"}
    assert {line["step"] for line in lines} == set(range(1, 7))
    assert [line["epoch"] for line in lines if "lr" in line["signals"]] == [1, 1, 1, 1, 2, 2]


def test_empty_batches_release_noise_and_count(kit, records, tmp_path):
    _, record, lines = log_of(kit, records, tmp_path / "log", sampling={"scheme": "poisson", "rate": 1e-9})
    assert record.releases == 6
    norms = [line["signals"]["grad_norm_released"] for line in lines if "lr" in line["signals"]]
    network = small(kit, records).network
    wanted = 0.8 * 0.5 / 8.0 * math.sqrt(sum(weight.numel() for weight in network.parameters()))
    assert norms == [pytest.approx(wanted, rel=0.1)] * 6


def test_the_record_says_what_ran_and_the_accountant_takes_it(kit, records, tmp_path):
    _, record, _ = log_of(kit, records, tmp_path / "log")
    assert record.event == PoissonGaussian(0.3, 0.8, 6)
    assert (record.releases, record.planned, record.clip_norm, record.normalizer) == (6, 6, 0.5, 8.0)
    assert record.commitment == kit.SECRET.commitment
    assert record.engine == "book-keeping"
    assert math.isfinite(eps_total(record.event, 1e-5).eps)
    assert [access.charge for access in record.accesses].count("ledger") == 1


def test_the_record_holds_no_count_of_records(kit, records, tmp_path):
    one = log_of(kit, records, tmp_path / "a")[1]
    other = log_of(kit, records[:-5], tmp_path / "b")[1]
    assert one == other


@pytest.mark.parametrize("action", ["stop", "skip", "scale_lr"])
def test_monitors_see_released_gradients_and_every_release_counts(kit, records, tmp_path, action):
    monitor = Monitor(signal="grad_norm_released", trip="grad_norm_released > 0", window=3, action=action)
    made = kit.course(len(records), stability=Stability(monitors=(monitor,)))
    with SignalLog(tmp_path / "log") as log:
        trained, record = train_privately(small(kit, records), made, kit.SECRET, log, Silent())
    assert record.releases == trained.report.steps == (3 if action == "stop" else 6)
    assert trained.report.status == ("stopped" if action == "stop" else "budget")
    assert [event.action for event in trained.report.events][:1] == [action]


def test_stopping_early_costs_what_ran(kit, records, tmp_path):
    patient = Stability(convergence=Convergence(signal="step", patience=2))
    made = kit.course(len(records), stability=patient)
    with SignalLog(tmp_path / "log") as log:
        trained, record = train_privately(small(kit, records), made, kit.SECRET, log, Silent())
    assert trained.report.status == "converged"
    assert record.releases == trained.report.steps < 6
    assert eps_total(record.event, 1e-5).eps < eps_total(PoissonGaussian(0.3, 0.8, 6), 1e-5).eps


def test_a_training_that_never_began_has_spent_nothing(kit, records):
    begun = kit.run(small(kit, records), kit.course(len(records)))
    _, record = begun.finish("")
    assert record.event == Composed()
    assert eps_total(record.event, 1e-5).eps == 0.0


def test_a_public_number_of_records_that_is_not_true_ends_a_training_before_it_begins(kit, records):
    made = kit.course(len(records), adjacency="zero_out", dataset_size={"public": True, "value": 20 * len(records)})
    with pytest.raises(DataError, match=f"the train split has {len(records)}"):
        fit_privately(small(kit, records), made, None)


def test_the_average_of_the_weights_follows_the_releases(kit, records, tmp_path):
    made = kit.course(len(records), Training(optimizer=kit.ADAM, seed=1, ema=0.9))
    with SignalLog(tmp_path / "log") as log:
        learner = small(kit, records)
        trained, _ = train_privately(learner, made, kit.SECRET, log, Silent())
    raw = learner.network.state_dict()
    assert any(not torch.equal(raw[name], trained.weights[name]) for name in raw)


def test_large_batches_are_added_up_and_noised_once(kit, records, tmp_path, monkeypatch):
    whole, one, _ = log_of(kit, records, tmp_path / "a")
    monkeypatch.setattr(BookKeeping, "at_once", 2)
    parts, other, _ = log_of(kit, records, tmp_path / "b")
    assert one == other
    for name, weight in whole.weights.items():
        assert torch.allclose(weight, parts.weights[name], atol=1e-5)


def test_the_loss_of_a_table_flow_is_the_mean_of_its_records(kit, records):
    for name in ("flow-cells", "flow-scores"):
        learner = next(each for each in kit.ENGINES if each.name == name).of(records)
        rows, state = torch.arange(24), learner._draws.bit_generator.state
        mean = learner.loss(rows)
        learner._draws.bit_generator.state = state
        shown = learner._network.shown(learner.train, learner._draws.random)
        batch = (learner.train.volume.float(), *shown)
        assert learner.record_losses(batch).mean().item() == pytest.approx(mean.item(), rel=1e-5)


def test_a_private_pair_is_the_pair_of_a_plain_critic_beside_its_centre(kit, records):
    from synthspec_torch.gan.learner import GanLearner
    from synthspec_torch.gan.probe import Records

    private = next(each for each in kit.ENGINES if each.name == "gan-cells-pairs").of(records)
    x, c, fake, share = private.drawn(torch.arange(24), RecordDraws(Keystream(bytes(32)), 1, torch.arange(24)))
    plain = GanLearner(private.generator, private.critic, private.rules, Records(x, c), None, 1)
    wanted = plain._paired(private.rules.objective, x, fake, c) + private._off_centre(private.critic(x, c))
    assert torch.allclose(private.record_losses((x, c, fake, share)), wanted, atol=1e-6)


def test_the_loss_of_a_private_denoiser_of_tables_is_that_of_a_plain_one(kit, records):
    found = [each for each in kit.ENGINES if each.name == "diffusion-mlp-cells"]
    if not found:
        pytest.skip("diffusers is not installed")
    learner = found[0].of(records)
    learner.multiplicity = 1
    batch = learner.drawn(torch.arange(24), RecordDraws(Keystream(bytes(32)), 1, torch.arange(24)))
    again = RecordDraws(Keystream(bytes(32)), 1, torch.arange(24))
    x0 = learner.placed(learner.train_records.x0, again.places)
    u, eps = again.uniform(1).flatten().clamp(1e-6, 1 - 1e-6), again.normal(1, x0.shape[1]).flatten(0, 1)
    noised = learner.corruption(type(learner.train_records)(x0, batch[-1][:, 0]), u, eps)
    squared = learner.corruption.squared(noised, learner.network(noised.x, noised.times, noised.given))
    assert torch.allclose(learner.record_losses(batch), squared.mean(1), rtol=1e-5)
