"""Training by sampling: the laws of its draws in closed form, and an engine that is trained by it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from scipy.stats import chi2

from synthspec.backend.artifacts import DATA, SPLIT, TRAINING_LOG
from synthspec.backend.dataset import Dataset, Rows, read_dataset, write_dataset, write_rows
from synthspec.backend.protocol import Artifact
from synthspec.ir.families import (
    DpSgd,
    GanEngine,
    GanMlp,
    Optimizer,
    Relativistic,
    Training,
    Variable,
    WganGp,
)
from synthspec.ir.schema import Field, Schema
from synthspec_torch.gan.balance import MEMBERS, Balance, LogFrequency, Release
from synthspec_torch.gan.balanced import BalancedLearner
from synthspec_torch.gan.content import fitted
from synthspec_torch.gan.engine import WEIGHTS, TrainedGan
from synthspec_torch.gan.heads import TableHead
from synthspec_torch.gan.kernels import KERNELS
from synthspec_torch.gan.learner import Rules
from synthspec_torch.gan.networks import build_critic, build_generator
from synthspec_torch.plugin import BACKEND
from synthspec_torch.weights import WeightsError

ROWS = 3000
RARE = 0.005
PAIRED = Relativistic(measure="rpgan", r1=0.05, r2=0.05, training_by_sampling="log_frequency")
FIELDS = (
    Field(name="rid", role="key", dtype="int64"),
    Field(name="kind", role="content", dtype="categorical", enum=("a", "b", "rare", "never"), nullable=True),
    Field(name="size", role="content", dtype="float64", unit="m", range=(-40.0, 40.0)),
    Field(name="open", role="content", dtype="bool"),
    Field(name="place", role="condition", dtype="categorical", enum=("x", "y", "z")),
)


def rows(count=ROWS):
    """`kind` is rare in one of 200, and then `open` is true, as it is in one of 5 others. `place` z goes with b alone."""
    rng = np.random.default_rng(1)
    kind = rng.choice([0, 1, -1], count, p=[0.6, 0.35, 0.05])
    kind[:: round(1 / RARE)] = 2
    place = np.where((kind == 1) & (rng.random(count) < 0.03), 2, rng.integers(0, 2, count))
    return {
        "rid": np.arange(count),
        "kind": kind,
        "size": np.where(kind == 0, -2.0, 2.0) + 0.3 * rng.standard_normal(count),
        "open": np.where(kind == 2, 1, rng.random(count) < 0.2).astype(np.uint8),
        "place": place,
    }


@pytest.fixture
def op(fit_op):
    return replace(
        fit_op,
        schema=Schema(modality="tabular", fields=FIELDS, pk=("rid",)),
        engine=GanEngine(family="gan", architecture=GanMlp(name="mlp", hidden=(32,), latent_dim=4)),
        objective=PAIRED,
        training=Training(optimizer=Optimizer(name="adam", lr=2e-3), steps=6, batch_size=100, ema=0.9, seed=5),
        conditions=("place",),
        drop_rate=0.0,
    )


@pytest.fixture
def drawn(op, sample_op):
    given = (("place", Variable(interface="categorical", distribution="empirical")),)
    return replace(
        sample_op, fit=op, variables=given, solver=None, w_cfg=0.0, n=2000, candidates=2000, block=512
    )  # fmt: skip


@pytest.fixture
def inputs(tmp_path):
    data, split = tmp_path / "table", tmp_path / "rows"
    data.mkdir()
    split.mkdir()
    write_dataset(data, Dataset(rows()))
    write_rows(split, Rows(np.arange(ROWS - 400), np.arange(ROWS - 400, ROWS - 200), np.arange(ROWS - 200, ROWS)))
    return {"data": Artifact(data, (DATA,)), "split": Artifact(split, (SPLIT,))}


def balanced(op, columns=None):
    columns = rows() if columns is None else columns
    content = fitted(op.schema, columns, 0)
    balance = Balance.of(op, content)
    x = content.encode(columns)
    return balance, balance.codes(x, columns), x, content


def fits(counts, shares):
    """Whether `counts` are a draw of the law `shares`, by Pearson's chi-squared at 1e-4."""
    seen = shares > 0
    assert not counts[~seen].any()
    expected = counts.sum() * shares[seen] / shares[seen].sum()
    statistic = np.sum((counts[seen] - expected) ** 2 / expected)
    return statistic < chi2.ppf(1 - 1e-4, seen.sum() - 1)


def member_counts(columns):
    """The count of every member: of kind with its missing ones, of open, of place."""
    kind = [int((columns["kind"] == code).sum()) for code in (0, 1, 2, 3, -1)]
    return [
        kind,
        *([int((columns[name] == code).sum()) for code in range(n)] for name, n in (("open", 2), ("place", 3))),
    ]


def test_every_member_is_seen_as_the_logarithm_of_its_count_says(op):
    balance, codes, _, _ = balanced(op)
    assert [group.field.name for group in balance.groups] == ["kind", "open", "place"]
    law = LogFrequency(balance, codes)
    stated = np.concatenate([np.log1p(part) / np.log1p(part).sum() / 3 for part in member_counts(rows())])
    _, members = law.draw(60_000, torch.Generator().manual_seed(3))
    assert fits(np.bincount(members.numpy(), minlength=10), stated)
    assert stated[2] * 3 > 10 * RARE


def test_a_drawn_row_has_the_member_it_is_drawn_by_and_is_any_of_those(op):
    balance, codes, x, _ = balanced(op)
    law = LogFrequency(balance, codes)
    drawn, members = (part.numpy() for part in law.draw(60_000, torch.Generator().manual_seed(4)))
    assert (codes[drawn] == members[:, None]).any(1).all()
    told = balance.tell(members).numpy()
    assert np.array_equal(told.sum(1), members < balance.width)
    assert ((told > 0) <= (x[drawn][:, list(balance.slots)].numpy() > 0)).all()
    for member in (2, 4):
        those = np.flatnonzero((codes == member).any(1))
        counts = np.bincount(drawn[members == member], minlength=len(codes))
        assert counts.sum() == counts[those].sum()
        assert fits(counts[those], np.full(len(those), 1 / len(those)))


@pytest.mark.parametrize("conditions", [("place",), ()])
def test_a_generator_that_is_right_given_each_member_releases_the_law_of_the_rows(op, conditions):
    """Any train row, uniformly among those with the drawn member, is then any train row of the conditions, uniformly."""
    balance, codes, _, _ = balanced(replace(op, conditions=conditions))
    release = Release.of(balance, codes)
    known = codes[:, len(balance.told) :]
    for key, shares in zip([*release.keys, None], release.shares, strict=True):
        same = np.ones(len(codes), bool) if key is None else (known == key).all(1)
        left = np.full(len(codes), (1 - shares.sum()) / same.sum()) * same
        for member, share in enumerate(shares):
            those = same & (codes == member).any(1)
            left += share * those / max(1, those.sum())
        assert np.allclose(left, same / same.sum(), rtol=1e-12, atol=0)


def test_released_members_have_the_shares_of_the_rows_with_the_same_conditions(op):
    balance, codes, _, _ = balanced(op)
    release, u = Release.of(balance, codes), np.random.default_rng(5).random(60_000)
    columns = rows()
    for place in (0, 2):
        asked = balance.conditions({"place": np.full(60_000, place)}, 60_000)
        counts = np.bincount(release.draw(balance, asked, u), minlength=balance.width + 1)
        own = {name: column[columns["place"] == place] for name, column in columns.items()}
        stated = np.concatenate([np.array(part) / len(own["rid"]) / 3 for part in member_counts(own)[:2]])
        assert fits(counts, np.append(stated, 1 / 3))
    gone = rows() | {"place": np.where(np.arange(ROWS) < 9, -1, rows()["place"])}
    assert (balanced(op, gone)[1][:9, 2] == -1).all()
    others = release.draw(balance, np.array([[-1]] * 60_000), u)
    assert fits(np.bincount(others, minlength=8), np.append(release.shares[-1], 1 / 3))


def test_a_told_choice_is_made_whatever_the_network_would_choose(op):
    balance, _, _, content = balanced(op)
    torch.manual_seed(0)
    head = content.head()
    assert isinstance(head, TableHead)
    network = build_generator(op.engine.architecture, content.shape, balance.width, head, balance.slots)
    for link in head.links:
        torch.nn.init.normal_(link, std=20.0)
    told = balance.tell(np.arange(balance.width + 1).repeat(50))
    z = torch.randn(len(told), network.numbers)
    made = network(z, told)
    slots = made[:, list(balance.slots)]
    assert (slots[told > 0] == 1).all()
    assert slots[-50:].sum(1).tolist() == [2.0] * 50
    assert len(slots[-50:].unique(dim=0)) > 1
    slots[told > 0].sum().backward()
    assert all(weight.grad is None or not weight.grad.any() for weight in network.parameters())


def test_both_players_meet_what_the_law_of_members_draws(op):
    columns = rows()
    gan = TrainedGan.fresh(op, columns)
    records = gan.records(Dataset(columns))
    critic = build_critic(op.engine.architecture, gan.content.shape, gan.told, spectral=False)
    rules = Rules(PAIRED, gan.network.numbers, op.training.optimizer, None)
    law = LogFrequency(gan.balance, gan.balance.codes(records.x, columns))
    learner = BalancedLearner(gan.network, critic, rules, records, None, 5, law=law)
    shown = []
    critic.register_forward_pre_hook(lambda _, given: shown.append(given))
    learner.critic_records(torch.arange(2000))
    (x, c), width = shown[0], gan.balance.width
    told, slots = c[:, -width:], x[:, list(gan.balance.slots)]
    assert len(x) == 4000
    assert torch.equal(c[:2000], c[2000:])
    assert ((told > 0) <= (slots > 0)).all()
    rare = told[:2000, 2].mean().item()
    assert rare * 3 > 10 * RARE
    position = learner.position()
    once, twice = (learner.real(torch.arange(40)).c for _ in range(2))
    assert not torch.equal(once, twice)
    learner.go_on(position)
    assert torch.equal(learner.real(torch.arange(40)).c, once)


def test_the_probe_is_told_one_member_of_each_of_its_records_as_a_release_would(op):
    gan, columns = TrainedGan.fresh(op, rows()), rows()
    records = gan.records(Dataset(columns))
    told = records.c[:, -gan.balance.width :].numpy()
    assert ((told > 0) <= (records.x[:, list(gan.balance.slots)].numpy() > 0)).all()
    shares = np.append(gan.release.shares[-1], 1 / 3)
    assert fits(np.append(told.sum(0), (told.sum(1) == 0).sum()), shares)


def test_an_engine_trained_by_sampling_repeats_by_workers_and_runs_and_holds_a_rare_condition(
    op, drawn, inputs, run, monkeypatch
):  # fmt: skip
    assert BACKEND.supports(drawn) == ()
    draw, batches = LogFrequency.draw, []
    monkeypatch.setattr(LogFrequency, "draw", lambda law, n, draws: batches.append(n) or draw(law, n, draws))
    made = {"engine": run(KERNELS["fit"], op, inputs, "fit"), **inputs}
    assert batches == [100] * 12
    again = run(KERNELS["fit"], op, inputs, "again")
    for file in (WEIGHTS, MEMBERS, TRAINING_LOG):
        assert again.path(file).read_bytes() == made["engine"].path(file).read_bytes()
    samples = [run(KERNELS["sample"], drawn, made, f"by{workers}", workers=workers) for workers in (1, 4)]
    assert samples[0].path(DATA).read_bytes() == samples[1].path(DATA).read_bytes()
    held = replace(drawn, condition=(("place", "z"),), n=300, candidates=300)
    columns = read_dataset(run(KERNELS["sample"], held, made, "held").path(DATA)).columns
    assert columns["place"].tolist() == [2] * 300
    signals = [json.loads(line)["signals"] for line in made["engine"].path(TRAINING_LOG).read_text().splitlines()]
    assert 0 <= next(found["mode_drop_val"] for found in signals if "mode_drop_val" in found) <= 1


def test_members_of_other_fields_are_refused(op, inputs, run):
    engine = run(KERNELS["fit"], op, inputs, "fit")
    stored = load_file(str(engine.path(MEMBERS)))
    save_file({**stored, "shares": stored["shares"][:, 1:].copy()}, str(engine.path(MEMBERS)))
    with pytest.raises(WeightsError, match="7 members"):
        TrainedGan.read(op, engine)


def test_a_rare_member_is_released_as_often_as_it_was_seen_however_little_was_learned(op, drawn, inputs, run):
    """Where `kind` is the one field to draw by, its law is that of the train rows after any training."""
    op = replace(op, conditions=(), schema=replace(op.schema, fields=FIELDS[:3]))
    drawn = replace(drawn, fit=op, variables=(), n=20_000, candidates=20_000, block=4096)
    made = {"engine": run(KERNELS["fit"], op, inputs, "fit"), **inputs}
    kind = read_dataset(run(KERNELS["sample"], drawn, made, "sample", workers=2).path(DATA))["kind"]
    seen = rows()["kind"][: ROWS - 400]
    assert (kind == 2).sum() > 50
    assert not np.array_equal(kind[:4096], kind[4096:8192])
    assert fits(np.bincount(kind + 1, minlength=5), np.bincount(seen + 1, minlength=5) / len(seen))


def test_what_goes_with_a_rare_member_is_learned(op, drawn, inputs, run):
    """A batch of 100 drawn all alike shows none or one of the rare; then 17 in 100 of those that are made are open."""
    op = replace(op, conditions=(), training=op.training.model_copy(update={"steps": 400}))
    drawn = replace(drawn, fit=op, variables=(), n=20_000, candidates=20_000, block=4096)
    made = {"engine": run(KERNELS["fit"], op, inputs, "fit"), **inputs}
    columns = read_dataset(run(KERNELS["sample"], drawn, made, "sample", workers=2).path(DATA)).columns
    rare = columns["kind"] == 2
    assert RARE / 2 < rare.mean() < RARE * 2
    assert columns["open"][rare].mean() > 0.4


def test_what_it_cannot_balance_is_refused_with_a_reason(op, fit_op):
    assert BACKEND.supports(op) == ()

    def refused(reason, **changes):
        assert any(reason in text for text in BACKEND.supports(replace(op, **changes)))

    refused("none under a mechanism", privacy=DpSgd.model_construct(mechanism="dp-sgd", steps=10))
    refused("an image has no categorical field", schema=fit_op.schema, conditions=())
    number = replace(FIELDS[2], name="level", role="condition")
    refused(
        "'level' is a number",
        schema=Schema(modality="tabular", fields=(*FIELDS, number), pk=("rid",)),
        conditions=("level",),
    )
    numbers = Schema(modality="tabular", fields=(FIELDS[0], FIELDS[2]), pk=("rid",))
    refused("the SRef has none", schema=numbers, conditions=())
    plain = WganGp(measure="wgan_gp", lambda_gp=1.0)
    assert BACKEND.supports(replace(op, objective=plain, schema=numbers, conditions=())) == ()
