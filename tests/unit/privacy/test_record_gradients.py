"""Per-record gradients against a loop of single-example backward passes, and what the clip bounds (S405-8)."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from synthspec_torch.layers import Apart, Offset
from synthspec_torch.privacy.bookkeeping import HELD, LEAST, BookKeeping
from synthspec_torch.privacy.engines import engine_of, mixes
from synthspec_torch.privacy.gradients import OneByOne, scales
from synthspec_torch.privacy.layers import square
from synthspec_torch.privacy.stream import Keystream, RecordDraws

KEY = bytes(32)


def one_at_a_time(network, losses, batch):
    """The gradient of each record by a backward pass of its own, float64 [n, P]."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    rows = []
    for i in range(len(batch[0])):
        alone = tuple(each[i : i + 1] for each in batch)
        made = torch.autograd.grad(losses(alone).sum(), weights, allow_unused=True)
        rows.append(
            torch.cat([(torch.zeros_like(w) if g is None else g).flatten() for g, w in zip(made, weights, strict=True)])
        )
    return torch.stack(rows).double()


def clipped(each, clip):
    """The sum of the rows of `each`, clipped one by one."""
    norms = each.norm(dim=1)
    return (each * (clip / norms).clamp(max=1.0)[:, None]).sum(0), norms


def close(found, wanted, tolerance=1e-5):
    return (found - wanted).norm() <= tolerance * wanted.norm()


def agrees(maker, losses, batch, clip=None):
    each = one_at_a_time(maker.network, losses, batch)
    clip = clip or each.norm(dim=1).median().item()
    wanted, norms = clipped(each, clip)
    total = torch.zeros(maker.width, dtype=torch.float64)
    found = maker.add(total, batch, clip)
    assert close(found, norms)
    assert close(total, wanted)


def drawn(learner, rows):
    learner.network.eval()
    return learner.drawn(rows, RecordDraws(Keystream(KEY), 1, rows))


def test_as_many_records_at_once_as_caches_hold_whoever_is_in_the_batch(kit, records):
    learner = next(each for each in kit.ENGINES if each.name == "vae-conv").of(records)
    made = engine_of(learner.network, learner.record_losses, penalised=False)
    unknown = made.at_once
    found = []
    for rows in (torch.arange(24), torch.arange(5), torch.tensor([7])):
        made.summed([drawn(learner, rows)], 1.0)
        found.append(made.at_once)
    assert found == found[:1] * 3 != [unknown] * 3
    narrow = nn.Linear(4, 4)
    small = BookKeeping(narrow, lambda batch: narrow(batch[0]).sum(1))
    small.summed([(torch.zeros(3, 4),)], 1.0)
    assert small.at_once == HELD // 8 > found[0]


@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 1000])
def test_parts_are_all_rows_in_order_and_about_as_long_as_each_other(count):
    narrow = nn.Linear(4, 4)
    parts = BookKeeping(narrow, lambda batch: narrow(batch[0]).sum(1)).parts(torch.arange(count))
    assert torch.equal(torch.cat([torch.arange(0), *parts]), torch.arange(count))
    lengths = [len(part) for part in parts]
    assert all(0 < each <= LEAST for each in lengths)
    assert len(lengths) == -(-count // LEAST)
    assert not lengths or max(lengths) - min(lengths) <= 1


def test_every_engine_equals_a_loop_over_records(engine, records):
    learner = engine.of(records)
    rows = torch.tensor([0, 3, 4, 9, 20, 23])
    made = engine_of(learner.network, learner.record_losses, penalised=learner.penalised)
    agrees(made, learner.record_losses, drawn(learner, rows))


def test_books_are_kept_wherever_all_layers_have_one(kit, records):
    kept = {
        each.name
        for each in kit.ENGINES
        if isinstance(
            engine_of((made := each.of(records)).network, made.record_losses, penalised=made.penalised), BookKeeping
        )
    }
    others = {each.name for each in kit.ENGINES} - kept
    assert others == {
        "flow-affine-actnorm-t", "gan-mlp-penalty", "gan-conv-penalty", "gan-mlp-spectral", "gan-numbers-pairs",
        "gan-cells-pairs", "gan-cells-penalty", "gan-cells-spectral",
    }  # fmt: skip


class Layers(nn.Module):
    """Every layer that has a book, rows of several kinds, and one layer that is used twice."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(5, 6, padding_idx=0)
        self.bag = nn.EmbeddingBag(5, 4, mode="sum")
        self.twice = nn.Linear(6, 6)
        self.norm = nn.LayerNorm((3, 6))
        self.apart = Apart(torch.randn(3, 6, 6))
        self.place, self.offset = Offset(torch.randn(3, 6)), Offset(torch.randn(6))
        self.mix = nn.Linear(6, 40)
        self.conv1 = nn.Conv1d(3, 4, 3, stride=2, padding=1, dilation=2)
        self.conv2 = nn.Conv2d(2, 4, (3, 2), padding=(1, 0), groups=2, bias=False)
        self.group = nn.GroupNorm(2, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, codes, x):
        rows = self.norm(self.twice(torch.tanh(self.twice(self.table(codes)))))
        rows = self.offset(self.apart(torch.tanh(self.place(self.apart(rows)))))
        wide = torch.tanh(self.conv1(torch.tanh(self.mix(rows))))
        grid = self.group(self.conv2(x))
        return self.head(wide.mean(2) + grid.mean((2, 3)) + self.bag(codes)).square().sum(1)


def layered():
    torch.manual_seed(2)
    network = Layers()
    batch = (torch.randint(0, 5, (7, 3)), torch.randn(7, 2, 5, 4))
    return network, lambda given: network(*given), batch


@pytest.mark.parametrize("kind", [BookKeeping, OneByOne])
def test_every_layer_and_every_use_of_it_is_in_one_gradient(kind):
    network, losses, batch = layered()
    agrees(kind(network, losses), losses, batch)


@pytest.mark.parametrize("norm", [lambda: nn.GroupNorm(1, 9), lambda: nn.GroupNorm(3, 9), lambda: nn.LayerNorm(9)])
def test_a_norm_of_records_that_are_numbers_alone(norm):
    torch.manual_seed(4)
    network = nn.Sequential(nn.Linear(6, 9), norm(), nn.Tanh(), nn.Linear(9, 5), nn.GroupNorm(1, 5), nn.Linear(5, 1))
    agrees(BookKeeping(network, lambda given: network(*given).square().sum(1)), lambda given: network(*given).square().sum(1),
           (torch.randn(7, 6),))  # fmt: skip


@pytest.mark.parametrize("budget", [1, 50, 1 << 20])
def test_however_little_is_held_at_a_time_the_sum_is_the_same(monkeypatch, budget):
    monkeypatch.setattr("synthspec_torch.privacy.layers._KEPT", budget)
    monkeypatch.setattr(OneByOne, "CHUNK", budget)
    network, losses, batch = layered()
    agrees(BookKeeping(network, losses), losses, batch)
    agrees(OneByOne(network, losses), losses, batch)


@pytest.mark.parametrize("held", [0, 1 << 23])
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda: nn.Conv2d(4, 6, 3), (4, 7, 6)),
        (lambda: nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(2, 1), groups=2), (4, 5, 8)),
        (lambda: nn.Conv2d(3, 6, 2, stride=3, dilation=(1, 3), groups=3, bias=False), (3, 8, 9)),
        (lambda: nn.Conv1d(4, 2, 5, stride=2, padding=3, dilation=2, groups=2), (4, 11)),
        (lambda: nn.Conv1d(1, 3, 4, stride=4), (1, 9)),
    ],
)
def test_convolutions_whose_gradients_are_held_or_made_again(monkeypatch, layer, shape, held):
    monkeypatch.setattr("synthspec_torch.privacy.convolutions._HELD", held)
    monkeypatch.setattr("synthspec_torch.privacy.layers._KEPT", 200)
    torch.manual_seed(3)
    network = layer()
    maker = BookKeeping(network, lambda given: network(*given).square().flatten(1).sum(1))
    agrees(maker, maker.losses, (torch.randn(7, *shape),))
    agrees(maker, maker.losses, (torch.randn(7, *shape).to(memory_format=torch.channels_last)
                                 if len(shape) == 3 else torch.randn(*shape[::-1], 7).permute(2, 1, 0),))  # fmt: skip


def test_the_wide_rows_are_taken_without_their_product():
    torch.manual_seed(0)
    network = nn.Linear(30, 20)
    x = torch.randn(5, 4, 30)

    def losses(batch):
        return network(batch[0]).square().sum((1, 2))

    agrees(BookKeeping(network, losses), losses, (x,))


@pytest.mark.parametrize("width", [255, 257, 511, 512, 3_000_001])
def test_no_sum_of_many_squares_comes_out_too_small(width):
    each = torch.stack([torch.full((width,), 0.1), torch.randn(width, generator=torch.Generator().manual_seed(5))])
    exact = each.double().square().sum(1)
    assert ((square(each).double() - exact).abs() <= 1e-6 * exact).all()


def test_the_clipped_gradient_of_a_wide_layer_is_no_longer_than_the_clip_norm():
    torch.manual_seed(6)
    layer = nn.Conv2d(512, 256, 3)
    maker = BookKeeping(layer, lambda batch: layer(batch[0]).square().flatten(1).sum(1))
    assert maker.summed([(torch.randn(1, 512, 4, 4),)], 0.5).double().norm() <= 0.5


def test_gradients_that_cancel_over_the_rows_do_not_come_out_too_small():
    """Two rows of nearly opposite gradients: what remains is a ten thousandth of either."""
    network = nn.Linear(30, 20, bias=False)
    x = torch.randn(1, 30) * 100.0
    rows = torch.stack([x[0], -x[0] * (1 + 1e-4)])[None]

    def losses(batch):
        return network(batch[0]).sum((1, 2))

    each = one_at_a_time(network, losses, (rows,))
    total = torch.zeros(600, dtype=torch.float64)
    norms = BookKeeping(network, losses).add(total, (rows,), 1e9)
    assert norms.item() == pytest.approx(each.norm().item(), rel=1e-3)


@pytest.mark.parametrize("clip", [1e-3, 0.1, 1.0])
def test_no_record_adds_more_than_the_clip_norm(engine, records, clip):
    learner = engine.of(records * 3.0)
    made = engine_of(learner.network, learner.record_losses, penalised=learner.penalised)
    for row in (0, 23):
        total = torch.zeros(made.width, dtype=torch.float64)
        made.add(total, drawn(learner, torch.tensor([row])), clip)
        assert total.norm() <= clip * (1 + 1e-6)


@pytest.mark.parametrize("kind", [BookKeeping, OneByOne])
@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e30])
def test_a_record_without_a_finite_gradient_adds_nothing(kind, bad):
    network, losses, batch = layered()
    good = tuple(each[[0, 1, 3, 4, 5, 6]] for each in batch)
    spoilt = (batch[0], batch[1].clone())
    spoilt[1][2] = bad

    def squared(given):
        return losses(given) * given[1].square().mean((1, 2, 3))

    one, other = (torch.zeros(kind(network, squared).width, dtype=torch.float64) for _ in range(2))
    kind(network, squared).add(one, spoilt, 0.5)
    kind(network, squared).add(other, good, 0.5)
    assert one.isfinite().all()
    assert close(one, other)


def test_a_batch_of_nothing_but_bad_records_adds_nothing():
    network, losses, batch = layered()
    total = torch.zeros(BookKeeping(network, losses).width, dtype=torch.float64)
    BookKeeping(network, losses).add(total, (batch[0], batch[1] * math.nan), 0.5)
    assert not total.any()


def test_no_scale_is_above_one_and_none_stretches():
    norms = torch.tensor([0.0, 1e-30, 0.5, 1.0, 2.0, math.inf, math.nan], dtype=torch.float64)
    found = scales(norms, 1.0)
    assert found[:3].tolist() == [1.0, 1.0, 1.0]
    assert (found[3:5] * norms[3:5] <= 1.0).all()
    assert found[5:].tolist() == [0.0, 0.0]
    assert scales(norms, math.inf).tolist() == [1.0] * 5 + [0.0] * 2


@pytest.mark.parametrize(
    ("layer", "word"),
    [
        (nn.BatchNorm1d(3), "normalises over the records"),
        (nn.BatchNorm2d(3, affine=False), "normalises over the records"),
        (nn.SyncBatchNorm(3), "normalises over the records"),
        (nn.InstanceNorm1d(3, track_running_stats=True), "keeps statistics"),
        (nn.Dropout(0.1), "drops by draws"),
    ],
)
def test_layers_behind_which_no_bound_holds_are_refused_by_name(layer, word):
    network = nn.Sequential(nn.Linear(3, 3), layer)
    assert word in mixes(layer)
    with pytest.raises(TypeError, match=f"1 \\({type(layer).__name__}\\) {word}"):
        engine_of(network, lambda batch: network(batch[0]).sum(1), penalised=False)


@pytest.mark.parametrize("layer", [nn.Dropout(0.0), nn.InstanceNorm1d(3), nn.GroupNorm(1, 3), nn.LayerNorm(3)])
def test_layers_that_leave_records_alone_are_not_refused(layer):
    assert mixes(layer) == ""


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
        self.other.weight = self.one.weight

    def forward(self, x):
        return self.other(torch.tanh(self.one(x))).square().sum(1)


class Free(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.scale = nn.Linear(3, 3), nn.Parameter(torch.ones(3))

    def forward(self, x):
        return (self.layer(x) * self.scale).square().sum(1)


class Bags(nn.Module):
    """A mean of rows, which has no book."""

    def __init__(self):
        super().__init__()
        self.bag = nn.EmbeddingBag(5, 3, mode="mean")

    def forward(self, x):
        return self.bag((x > 0).long()).square().sum(1)


class Strict(nn.Linear):
    def forward(self, x):
        return torch.nn.functional.linear(x, self.weight.square(), self.bias)


class Squared(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = Strict(3, 3)

    def forward(self, x):
        return self.layer(x).square().sum(1)


@pytest.mark.parametrize("kind", [Shared, Free, Squared, Bags])
def test_what_has_no_book_is_computed_one_by_one(kind):
    torch.manual_seed(1)
    network = kind()
    losses = lambda batch: network(batch[0])  # noqa: E731
    made = engine_of(network, losses, penalised=False)
    assert isinstance(made, OneByOne)
    agrees(made, losses, (torch.randn(4, 3),))


def test_outputs_that_are_added_are_told_back_one_tensor_and_still_counted_apart():
    torch.manual_seed(1)
    left, right = nn.Linear(3, 2), nn.Linear(3, 2)
    network = nn.ModuleList([left, right])

    def losses(batch):
        return (left(batch[0]) + right(batch[0])).square().sum(1)

    agrees(BookKeeping(network, losses), losses, (torch.randn(5, 3),))


def test_an_output_that_is_changed_in_place_is_an_error_and_no_wrong_gradient():
    network = nn.Sequential(nn.Linear(3, 3), nn.ReLU(inplace=True), nn.Linear(3, 1))
    made = BookKeeping(network, lambda batch: network(batch[0])[:, 0])
    with pytest.raises(TypeError, match="in place"):
        made.add(torch.zeros(made.width, dtype=torch.float64), (torch.randn(4, 3),), 1.0)


def test_rows_that_belong_to_no_single_record_are_an_error():
    network = nn.Linear(3, 1)
    made = BookKeeping(network, lambda batch: network(batch[0].mean(0, keepdim=True)).sum() * torch.ones(4))
    with pytest.raises(TypeError, match="saw 1 rows for 4 records"):
        made.add(torch.zeros(made.width, dtype=torch.float64), (torch.randn(4, 3),), 1.0)


def test_a_penalty_under_books_is_an_error_and_no_wrong_gradient(kit, records):
    learner = next(each for each in kit.ENGINES if each.name == "gan-mlp-penalty").of(records)
    made = BookKeeping(learner.network, learner.record_losses)
    with pytest.raises(RuntimeError):
        made.add(torch.zeros(made.width, dtype=torch.float64), drawn(learner, torch.arange(3)), 1.0)
